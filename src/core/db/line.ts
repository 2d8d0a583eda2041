import { type Clock, systemClock } from "../clock.ts";

/** How callers of a {@linkcode Line} wait. */
export interface LineOptions {
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  /** Callers that may try at once; the others wait until one of them is done. */
  readonly places: number;
  /** Longest time from a caller's arrival to its last try. */
  readonly waitMs: number;
  /** When this many callers wait for a place, the next one is refused at once. */
  readonly maxWaiting: number;
  /** Whether a failed try has changed nothing and may be made again. */
  readonly isPassing: (error: unknown) => boolean;
  /** The error of a caller that was never let try. */
  readonly refusal: () => Error;
  /** 0 to 1. @default {Math.random} */
  readonly random?: () => number;
}

/** Pauses between tries: the first is short, because most locks are; each is twice the one before. */
const FIRST_PAUSE_MS = 1;
const LAST_PAUSE_MS = 10;

/** How long callers may follow each other before timers and sockets get their turn. */
const SLICE_MS = 10;

/**
 * Callers of something that may refuse them for a while, served in the order in which they came.
 *
 * Only those that have a place try, again and again; whoever waits behind them costs nothing. All have the same time,
 * so that nobody's runs out before that of one in front: one timer is enough, however many wait.
 */
export class Line implements Disposable {
  readonly #options: LineOptions;
  readonly #waiting: (() => void)[] = [];
  readonly #closing = new AbortController();
  #taken = 0;
  #sliceStart = 0;

  constructor(options: LineOptions) {
    this.#options = options;
  }

  /**
   * Makes `attempt` when its turn has come, until it succeeds or fails for good.
   *
   * @throws The last try's error, or `refusal()` if there was none, when the time is over.
   */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    const { clock, waitMs, refusal } = this.#options;
    const deadline = clock.monotonic() + waitMs;
    await this.#place();
    try {
      await this.#breathe();
      if (clock.monotonic() >= deadline) throw refusal();
      return await this.#insist(attempt, deadline);
    } finally {
      this.#leave();
    }
  }

  /** Ends the pauses: who is in the line tries once more, and fails with what it called. */
  [Symbol.dispose](): void {
    this.#closing.abort();
  }

  async #place(): Promise<void> {
    const { clock, places, maxWaiting, refusal } = this.#options;
    if (this.#taken < places) {
      this.#taken++;
      this.#sliceStart = clock.monotonic();
      return;
    }
    if (this.#waiting.length >= maxWaiting) throw refusal();
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken--;
  }

  async #breathe(): Promise<void> {
    const { clock } = this.#options;
    // A test's time stands still while callers follow each other.
    if (clock !== systemClock) return;
    if (clock.monotonic() - this.#sliceStart < SLICE_MS) return;
    await this.#pause(0);
    this.#sliceStart = clock.monotonic();
  }

  async #insist<T>(attempt: () => Promise<T>, deadline: number): Promise<T> {
    const { clock, isPassing, random = Math.random } = this.#options;
    for (let pauseMs = FIRST_PAUSE_MS;; pauseMs *= 2) {
      try {
        return await attempt();
      } catch (error) {
        const leftMs = deadline - clock.monotonic();
        const isOver = leftMs <= 0 || this.#closing.signal.aborted;
        if (isOver || !isPassing(error)) throw error;
        const jittered = Math.min(pauseMs, LAST_PAUSE_MS) * (0.5 + random());
        await this.#pause(Math.min(leftMs, jittered));
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await this.#options.clock.sleep(ms, this.#closing.signal).catch(() => {});
  }
}
