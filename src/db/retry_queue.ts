import { type Clock, systemClock } from "../async/clock.ts";

/** How callers of a {@linkcode RetryQueue} wait. */
export interface RetryQueueOptions {
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  /** Callers that may try at once; the others wait until one of them is done. */
  readonly concurrency: number;
  /** Maximum time for which tries are refused, from a caller's arrival to its last try. */
  readonly waitMs: number;
  /** When this many callers wait for a place, the next one is refused at once. */
  readonly maxWaiting: number;
  /** Whether a failed try has changed nothing and may be made again. */
  readonly isPassing: (error: unknown) => boolean;
  /** The error of a caller that was never let try. */
  readonly createRejection: () => Error;
  /** 0 to 1. @default {Math.random} */
  readonly random?: () => number;
}

/** Pauses between tries: the first is short, because most locks are; each is twice the one before. */
const FIRST_PAUSE_MS = 1;
const LAST_PAUSE_MS = 10;

/**
 * Longest time between two refused tries that counts as time of the lock. A longer gap means that the process did not
 * run: it was stopped, or had no processor.
 */
const MAX_GAP_MS = 1_000;

/** How long callers may follow each other before timers and sockets get their turn. */
const SLICE_MS = 10;

/**
 * Callers of something that may refuse them for a while, served in the order in which they came.
 *
 * Only callers with a place retry; waiting callers cost nothing. All have the same timeout, so that no caller times out
 * before one in front of it, and a single timer serves all of them.
 *
 * Only time in which tries are refused counts. Neither the work of callers in front nor a pause of the whole process
 * fails a caller that was never refused.
 */
export class RetryQueue implements Disposable {
  readonly #options: RetryQueueOptions;
  readonly #waiting: (() => void)[] = [];
  readonly #closing = new AbortController();
  #taken = 0;
  #sliceStart = 0;
  /** Time in which tries were refused, since the start. */
  #refusedMs = 0;
  /** End of the last try, or the arrival of a caller at an empty queue. */
  #triedAt = 0;

  constructor(options: RetryQueueOptions) {
    this.#options = options;
  }

  /**
   * Makes `attempt` when its turn has come, until it succeeds or fails for good.
   *
   * @throws The last try's error, or `refusal()` if there was none, when the time is over.
   */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    const { waitMs, createRejection: refusal } = this.#options;
    const until = this.#refusedMs + waitMs;
    await this.#acquire();
    try {
      await this.#yieldToEventLoop();
      const leftMs = until - this.#refusedMs;
      if (leftMs <= 0) throw refusal();
      return await this.#retry(attempt, leftMs);
    } finally {
      this.#release();
    }
  }

  /** Ends the pauses: who is in the line tries once more, and fails with what it called. */
  [Symbol.dispose](): void {
    this.#closing.abort();
  }

  async #acquire(): Promise<void> {
    const { clock, concurrency: places, maxWaiting, createRejection: refusal } =
      this.#options;
    if (this.#taken < places) {
      const now = clock.monotonic();
      if (this.#taken++ === 0) this.#triedAt = now;
      this.#sliceStart = now;
      return;
    }
    if (this.#waiting.length >= maxWaiting) throw refusal();
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken--;
  }

  async #yieldToEventLoop(): Promise<void> {
    const { clock } = this.#options;
    // A test's time stands still while callers follow each other.
    if (clock !== systemClock) return;
    if (clock.monotonic() - this.#sliceStart < SLICE_MS) return;
    await this.#pause(0);
    this.#sliceStart = clock.monotonic();
  }

  async #retry<T>(attempt: () => Promise<T>, waitMs: number): Promise<T> {
    const { clock, isPassing, random = Math.random } = this.#options;
    let leftMs = waitMs;
    let since = clock.monotonic();
    for (let pauseMs = FIRST_PAUSE_MS;; pauseMs *= 2) {
      const startedAt = clock.monotonic();
      try {
        const result = await attempt();
        this.#triedAt = clock.monotonic();
        return result;
      } catch (error) {
        const now = clock.monotonic();
        leftMs -= Math.min(now - since, MAX_GAP_MS);
        since = now;
        const isRefused = isPassing(error);
        this.#count(now, isRefused ? undefined : startedAt);
        const isOver = leftMs <= 0 || this.#closing.signal.aborted;
        if (isOver || !isRefused) throw error;
        const jittered = Math.min(pauseMs, LAST_PAUSE_MS) * (0.5 + random());
        await this.#pause(Math.min(leftMs, jittered));
      }
    }
  }

  /**
   * @param failedFrom Start of a try that failed without being refused; a hanging server also counts as time of the
   * lock.
   */
  #count(now: number, failedFrom?: number): void {
    this.#refusedMs += failedFrom === undefined
      ? Math.min(now - this.#triedAt, MAX_GAP_MS)
      : now - Math.max(failedFrom, this.#triedAt);
    this.#triedAt = now;
  }

  async #pause(ms: number): Promise<void> {
    await this.#options.clock.sleep(ms, this.#closing.signal).catch(() => {});
  }
}
