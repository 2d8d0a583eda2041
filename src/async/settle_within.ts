import { systemClock } from "./clock.ts";

/** Waits at most `ms` until `work` is fulfilled or rejected. Never rejects. */
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
