import type { EventWire } from "../../../client/client.ts";

/** Length of a minute. */
export const MINUTE_MS = 60_000;

/** Number of minutes that the chart shows. */
export const MINUTES = 60;

const STARTED = "session.running";
const FAILED: readonly string[] = ["session.failed", "session.crashed"];
const ENDED: readonly string[] = [
  ...FAILED,
  "session.completed",
  "session.timed_out",
  "session.expired",
  "session.terminated",
];

/** Types of events that are counted. */
export const COUNTED: ReadonlySet<string> = new Set([STARTED, ...ENDED]);

/** Starts and ends of sessions in the last hour, minute by minute. */
export interface Activity {
  /** Begin of each minute. */
  readonly times: readonly number[];
  readonly started: readonly number[];
  readonly failed: readonly number[];
  /** Number of ends by status. */
  readonly ended: Readonly<Record<string, number>>;
}

/** Counts events by the minute. @param last The last minute that is shown, since the epoch. */
export function countByMinute(
  events: readonly Pick<EventWire, "type" | "timestamp">[],
  last: number,
): Activity {
  const first = last - MINUTES + 1;
  const started = new Array<number>(MINUTES).fill(0);
  const failed = new Array<number>(MINUTES).fill(0);
  const ended: Record<string, number> = {};
  for (const { type, timestamp } of events) {
    const at = Math.floor(Date.parse(timestamp) / MINUTE_MS) - first;
    if (at < 0) continue;
    // The server's clock may be ahead.
    const index = Math.min(at, MINUTES - 1);
    if (type === STARTED) started[index] = (started[index] ?? 0) + 1;
    if (FAILED.includes(type)) failed[index] = (failed[index] ?? 0) + 1;
    if (!ENDED.includes(type)) continue;
    const status = type.slice("session.".length);
    ended[status] = (ended[status] ?? 0) + 1;
  }
  const times = started.map((_, index) => (first + index) * MINUTE_MS);
  return { times, started, failed, ended };
}
