const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Pauses after each failed attempt; the last one is repeated. */
const PAUSES_MS = [
  5 * SECOND,
  30 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  8 * HOUR,
  24 * HOUR,
];

/** Random share of a pause, so that receivers that recover are not flooded. */
const JITTER = 0.2;

/** Returns the pause after the attempt with this number, from 1 on. */
export function backoffMs(
  attempts: number,
  random: () => number = Math.random,
): number {
  const at = Math.min(Math.max(attempts, 1), PAUSES_MS.length) - 1;
  const pause = PAUSES_MS[at] ?? 0;
  return Math.round(pause * (1 - JITTER * random()));
}
