import type { Clock } from "../async/clock.ts";

/** Longest time between two looks of a server that watches. */
const MAX_GAP_MS = 10_000;

/** Most by which the wall clock may differ from the monotonic one between two looks. */
const MAX_CLOCK_JUMP_MS = 2_000;

/**
 * How long this server has watched without a break, so that silence is that of others and not its own.
 *
 * A server that was not there, was stopped, had no database, or whose wall clock jumped, cannot tell who is late: nobody
 * could report to it, or the times that are written are of another clock.
 */
export class ObservationWindow {
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  readonly #onInterruption: (reason: string) => void;
  #last: { readonly now: number; readonly monotonic: number } | undefined;
  #since = 0;

  /** @param onBreak Told why watching was interrupted; not of its beginning. */
  constructor(
    clock: Pick<Clock, "now" | "monotonic">,
    onBreak: (reason: string) => void = () => {},
  ) {
    this.#clock = clock;
    this.#onInterruption = onBreak;
  }

  /** Milliseconds since the last break. A look: to be called before each step of a pass. */
  observedMs(): number {
    const now = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    const reason = this.#findInterruption(now, monotonic);
    if (!this.#last || reason) this.#since = monotonic;
    if (reason) this.#onInterruption(reason);
    this.#last = { now, monotonic };
    return monotonic - this.#since;
  }

  /** The database did nothing for it: it may have done nothing for others either. */
  reset(): void {
    this.#since = this.#clock.monotonic();
  }

  #findInterruption(now: number, monotonic: number): string | undefined {
    if (!this.#last) return undefined;
    const elapsed = monotonic - this.#last.monotonic;
    if (elapsed > MAX_GAP_MS) {
      return `this server did not watch for ${Math.round(elapsed / 1_000)} s`;
    }
    const jump = now - this.#last.now - elapsed;
    if (Math.abs(jump) > MAX_CLOCK_JUMP_MS) {
      return `the clock jumped by ${Math.round(jump / 1_000)} s`;
    }
  }
}
