import type { Clock } from "../../async/clock.ts";

/** Pause after the first of consecutive failures. */
const FIRST_PAUSE_MS = 1_000;

/** Maximum pause. */
const MAX_PAUSE_MS = 60_000;

/** Uptime of a browser that shows that starts succeed again. */
const MIN_UPTIME_MS = 10_000;

/** The pauses between starts of warm browsers: each consecutive failure doubles the pause. */
export class StartBackoff {
  readonly #clock: Pick<Clock, "monotonic">;
  #failures = 0;
  #failedAt = -Infinity;
  #nextAt = 0;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** True unless the pause after a failure is in progress. */
  get mayStart(): boolean {
    return this.#clock.monotonic() >= this.#nextAt;
  }

  /** Records a failure. Returns true for the first of consecutive failures. */
  recordFailure(): boolean {
    const pause = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failedAt = this.#clock.monotonic();
    this.#nextAt = this.#failedAt + pause * (0.5 + Math.random() / 2);
    return this.#failures++ === 0;
  }

  /** Records that a session used a browser. The next failure is the first again. */
  recordSuccess(): void {
    this.#failures = 0;
  }

  /** Counts a browser that became ready at `readyAt`, after the last failure, as a success once it has run for 10 s. */
  recordUptime(readyAt: number): void {
    const uptimeMs = this.#clock.monotonic() - readyAt;
    if (readyAt > this.#failedAt && uptimeMs > MIN_UPTIME_MS) {
      this.recordSuccess();
    }
  }
}
