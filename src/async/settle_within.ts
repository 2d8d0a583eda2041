import { systemClock } from "./clock.ts";

/** Waits until `work` has ended, well or badly, but no longer than `ms`. Leaves no timer. */
export async function settleWithin(
  work: Promise<unknown>,
  ms: number,
): Promise<void> {
  const waiting = new AbortController();
  await Promise.race([
    work.catch(() => {}),
    systemClock.sleep(ms, waiting.signal).catch(() => {}),
  ]);
  waiting.abort();
}
