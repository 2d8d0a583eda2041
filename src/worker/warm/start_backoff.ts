import type { Clock } from "../../async/clock.ts";

/** Pause after the first failure of a streak, and the longest. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;

/** How long a browser must live to show that starts succeed again. */
const MIN_UPTIME_MS = 10_000;

/** When the next browser may be started after some have failed: each failure doubles the pause. */
export class StartBackoff {
  readonly #clock: Pick<Clock, "monotonic">;
  #failures = 0;
  #failedAt = -Infinity;
  #nextAt = 0;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  get mayStart(): boolean {
    return this.#clock.monotonic() >= this.#nextAt;
  }

  /** Counts a failure. Returns whether it is the first of a streak. */
  recordFailure(): boolean {
    const pause = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failedAt = this.#clock.monotonic();
    this.#nextAt = this.#failedAt + pause * (0.5 + Math.random() / 2);
    return this.#failures++ === 0;
  }

  /** Counts a browser that was of use: the streak is over. */
  recordSuccess(): void {
    this.#failures = 0;
  }

  /** Counts a browser that is ready since `readyAt` as of use, if it has lasted and is younger than the last failure. */
  recordUptime(readyAt: number): void {
    const lastedMs = this.#clock.monotonic() - readyAt;
    if (readyAt > this.#failedAt && lastedMs > MIN_UPTIME_MS) {
      this.recordSuccess();
    }
  }
}
