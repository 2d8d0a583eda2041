import type { Clock } from "../../src/async/clock.ts";

/** A clock that advances only on request. Sleeps end at their time, or with their signal. */
export interface FakeClock extends Clock {
  advance(ms: number): void;
  /** Sets the wall clock back, while sleeps and the monotonic clock continue. */
  setBack(ms: number): void;
}

/** Starts at a fixed moment. */
export function createFakeClock(): FakeClock {
  const start = Date.UTC(2026, 0, 1);
  let elapsed = 0;
  let backMs = 0;
  const sleepers = new Set<{ readonly until: number; wake(): void }>();
  return {
    now: () => start + elapsed - backMs,
    monotonic: () => elapsed,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = {
          until: elapsed + ms,
          wake() {
            sleepers.delete(sleeper);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        }, { once: true });
      }),
    setBack(ms) {
      backMs += ms;
    },
    advance(ms) {
      elapsed += ms;
      for (const sleeper of [...sleepers]) {
        if (sleeper.until <= elapsed) sleeper.wake();
      }
    },
  };
}
