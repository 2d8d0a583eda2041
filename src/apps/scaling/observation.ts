import type { Clock } from "../../async/clock.ts";

/** Longest time between two passes without an interruption. */
const MAX_GAP_MS = 10_000;

/** Largest difference between the wall clock and the monotonic clock between two passes. */
const MAX_CLOCK_JUMP_MS = 2_000;

/**
 * Measures since when this server has read the state of a pool without an interruption. Workers could not register
 * while it was stopped or had no database, and after a jump of its clock the recorded times are of another clock.
 */
export class Observation {
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  #last: { readonly now: number; readonly monotonic: number } | undefined;
  #since = 0;

  constructor(clock: Pick<Clock, "now" | "monotonic">) {
    this.#clock = clock;
  }

  /** Makes an observation, and returns the time since which there was no interruption. */
  observe(): number {
    const now = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    const elapsed = monotonic - (this.#last?.monotonic ?? -Infinity);
    const jump = now - (this.#last?.now ?? now) - elapsed;
    if (elapsed > MAX_GAP_MS || Math.abs(jump) > MAX_CLOCK_JUMP_MS) {
      this.#since = now;
    }
    this.#last = { now, monotonic };
    return this.#since;
  }
}
