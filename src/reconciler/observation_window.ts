import type { Clock } from "../async/clock.ts";

/** Longest time between two observations without an interruption. */
const MAX_GAP_MS = 10_000;

/** Largest difference between the wall clock and the monotonic clock between two observations. */
const MAX_CLOCK_JUMP_MS = 2_000;

/**
 * Measures how long this server has observed the grid without interruption, so that it does not take its absence for
 * the silence of workers.
 *
 * A server that was stopped, had no database, or whose wall clock jumped cannot tell which workers are late: workers
 * could not report to it, or their recorded times are of another clock.
 */
export class ObservationWindow {
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  readonly #onInterruption: (reason: string) => void;
  #last: { readonly now: number; readonly monotonic: number } | undefined;
  #since = 0;

  /** @param onInterruption Called with the reason of each interruption. */
  constructor(
    clock: Pick<Clock, "now" | "monotonic">,
    onInterruption: (reason: string) => void = () => {},
  ) {
    this.#clock = clock;
    this.#onInterruption = onInterruption;
  }

  /** Makes an observation, and returns the milliseconds since the last interruption. */
  observedMs(): number {
    const now = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    const reason = this.#findInterruption(now, monotonic);
    if (!this.#last || reason) this.#since = monotonic;
    if (reason) this.#onInterruption(reason);
    this.#last = { now, monotonic };
    return monotonic - this.#since;
  }

  /** Starts the window anew, after the database did not answer this server. */
  reset(): void {
    this.#since = this.#clock.monotonic();
  }

  #findInterruption(now: number, monotonic: number): string | undefined {
    if (!this.#last) return undefined;
    const elapsed = monotonic - this.#last.monotonic;
    if (elapsed > MAX_GAP_MS) {
      return `this server was not running for ${Math.round(elapsed / 1_000)} s`;
    }
    const jump = now - this.#last.now - elapsed;
    if (Math.abs(jump) > MAX_CLOCK_JUMP_MS) {
      return `the clock jumped by ${Math.round(jump / 1_000)} s`;
    }
  }
}
