import type { Clock } from "../core/clock.ts";

/** Longest time between two passes of a server that watches. */
const GAP_MS = 10_000;

/** Most by which the wall clock may differ from the monotonic one between two passes. */
const JUMP_MS = 2_000;

/** One moment by both clocks. */
interface Moment {
  readonly now: number;
  readonly monotonic: number;
}

/**
 * How long this server has watched without a break, so that silence is that of others and not its own.
 *
 * A server that was not there, was stopped, had no database, or whose wall clock jumped, cannot tell who is late: nobody
 * could report to it, or the times that are written are of another clock.
 */
export class Continuity {
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  #last: Moment | undefined;
  #begun: Moment | undefined;
  #since = 0;

  constructor(clock: Pick<Clock, "now" | "monotonic">) {
    this.#clock = clock;
  }

  /** Milliseconds since the last break. To be called before each pass. */
  watchedMs(): number {
    const moment = this.#moment();
    if (this.breakBefore(moment) !== undefined) this.#since = moment.monotonic;
    this.#begun = moment;
    return moment.monotonic - this.#since;
  }

  /** The pass has done what it had to; one that fails is as good as none. */
  passed(): void {
    this.#last = this.#begun;
  }

  /** Why watching was interrupted since the last pass; undefined if it was not. */
  breakBefore({ now, monotonic }: Moment = this.#moment()): string | undefined {
    if (!this.#last) return "it has not watched before";
    const elapsed = monotonic - this.#last.monotonic;
    if (elapsed > GAP_MS) {
      return `it did not watch for ${Math.round(elapsed / 1_000)} s`;
    }
    const jump = now - this.#last.now - elapsed;
    if (Math.abs(jump) > JUMP_MS) {
      return `the clock jumped by ${Math.round(jump / 1_000)} s`;
    }
  }

  #moment(): Moment {
    return { now: this.#clock.now(), monotonic: this.#clock.monotonic() };
  }
}
