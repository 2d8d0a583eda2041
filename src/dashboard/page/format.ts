const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Returns a duration in its one or two largest units: `8 s`, `3 min 20 s`, `2 h 5 min`, `4 d 1 h`. */
export function formatDuration(ms: number): string {
  const rest = Math.max(0, ms);
  if (rest < MINUTE_MS) return `${Math.floor(rest / SECOND_MS)} s`;
  if (rest < HOUR_MS) return join(rest, [MINUTE_MS, "min"], [SECOND_MS, "s"]);
  if (rest < DAY_MS) return join(rest, [HOUR_MS, "h"], [MINUTE_MS, "min"]);
  return join(rest, [DAY_MS, "d"], [HOUR_MS, "h"]);
}

/** Returns the time since a moment in its largest unit: `8 s`, `46 min`, `3 h`. */
export function formatAge(ms: number): string {
  const rest = Math.max(0, ms);
  if (rest < MINUTE_MS) return `${Math.floor(rest / SECOND_MS)} s`;
  if (rest < HOUR_MS) return `${Math.floor(rest / MINUTE_MS)} min`;
  if (rest < 2 * DAY_MS) return `${Math.floor(rest / HOUR_MS)} h`;
  return `${Math.floor(rest / DAY_MS)} d`;
}

type Unit = readonly [ms: number, name: string];

function join(ms: number, [large, name]: Unit, [small, other]: Unit): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${name}${
    rest > 0 ? ` ${rest} ${other}` : ""
  }`;
}

/** Returns a short duration with milliseconds: `+35 ms`, `+1.2 s`, `+4 min 2 s`. */
export function formatStep(ms: number): string {
  if (ms < SECOND_MS) return `+${Math.max(0, Math.round(ms))} ms`;
  if (ms < MINUTE_MS) return `+${(ms / SECOND_MS).toFixed(1)} s`;
  return `+${formatDuration(ms)}`;
}

/** Returns the last part of an id, by which people tell ids apart: ids of one time begin alike. */
export function shortenId(id: string): string {
  return id.slice(-8);
}

/** Returns a count with separators of thousands. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** Returns `1 worker`, `2 workers`. */
export function renderCount(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Returns an amount of memory: `512 MB`, `1.5 GB`. */
export function formatMegabytes(mb: number): string {
  if (mb < 1_000) return `${Math.round(mb)} MB`;
  return `${(mb / 1_000).toFixed(mb < 10_000 ? 1 : 0)} GB`;
}

/** Returns the time of day in the visitor's time zone: `14:05:09`. */
export function formatTime(time: number): string {
  return new Date(time).toLocaleTimeString("en-GB");
}

/** Returns the time of day without seconds: `14:05`. */
export function formatMinute(time: number): string {
  return formatTime(time).slice(0, 5);
}

/** Returns a time on an axis, as exact as the step between two of them, so that no two are alike. */
export function formatTick(time: number, stepMs: number): string {
  if (stepMs >= MINUTE_MS) return formatMinute(time);
  return time % SECOND_MS === 0 ? formatTime(time) : "";
}

/** Returns date and time in the visitor's time zone: `2026-11-24 14:05:09`. */
export function formatDateTime(time: number): string {
  return new Date(time).toLocaleString("sv-SE");
}

/** Returns the name of a field as a title: `Default browser`. */
export function formatTitle(name: string): string {
  const text = name.replaceAll("_", " ");
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Returns a status as people read it: `timed out`. */
export function formatStatus(status: string): string {
  return status.replaceAll("_", " ");
}
