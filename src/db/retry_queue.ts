import { type Clock, systemClock } from "../async/clock.ts";
import { WaitEstimate } from "../async/wait_estimate.ts";

/** Options of a {@linkcode RetryQueue}. */
export interface RetryQueueOptions {
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  /** Maximum number of callers that try concurrently; the others wait until one of them ends. */
  readonly concurrency: number;
  /** Maximum time of rejected tries, from a caller's arrival to its last try. */
  readonly waitMs: number;
  /** Maximum number of waiting callers; the next one is rejected at once. */
  readonly maxWaiting: number;
  /** Reports whether a failed try has changed nothing and may be repeated. */
  readonly isPassing: (error: unknown) => boolean;
  /** Creates the error of a caller that never tried. */
  readonly createRejection: () => Error;
  /** Returns a number from 0 to 1. @default {Math.random} */
  readonly random?: () => number;
}

/** Pauses between tries: the first is short, because most locks are; each is twice the one before. */
const FIRST_PAUSE_MS = 1;
const LAST_PAUSE_MS = 10;

/**
 * Longest time between two rejected tries that counts as time of the lock. A longer gap means that the process did not
 * run: it was stopped, or had no processor.
 */
const MAX_GAP_MS = 1_000;

/** Longest time of callers in a row before the event loop serves timers and sockets. */
const SLICE_MS = 10;

/** Number of waiting callers from which on they are a backlog. */
const BACKLOG = 64;

/**
 * A queue of calls that a resource may reject for a while, served in order of arrival.
 *
 * Only the first `concurrency` callers retry; waiting callers cost nothing. All have the same timeout, so that no caller
 * times out before one in front of it.
 *
 * Only time in which tries are rejected counts. Neither the work of callers in front nor a pause of the whole process
 * fails a caller that was never rejected.
 */
export class RetryQueue implements Disposable {
  readonly #options: RetryQueueOptions;
  readonly #waiting: (() => void)[] = [];
  readonly #closing = new AbortController();
  #taken = 0;
  #sliceStart = 0;
  /** Time in which tries were rejected, since the start. */
  #rejectedMs = 0;
  /** True between two tries of a caller whose last one was rejected. */
  #isRejected = false;
  /** End of the last try, or the arrival of a caller at an empty queue. */
  #triedAt = 0;
  /** When the last caller ended while others waited, or the first of these arrived. */
  #endedAt = 0;
  #rejectedMsAtEnd = 0;
  /** Counts the times between the ends of callers while others waited, without callers that waited for the lock. */
  readonly #estimate: WaitEstimate;

  constructor(options: RetryQueueOptions) {
    this.#options = options;
    this.#estimate = new WaitEstimate(options.concurrency);
  }

  /**
   * Calls `attempt` in its turn until it succeeds or fails permanently.
   *
   * @throws The last try's error, or `createRejection()` if there was no try, after `waitMs`.
   */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    const { waitMs, createRejection } = this.#options;
    const until = this.#rejectedMs + waitMs;
    await this.#acquire();
    try {
      await this.#yieldToEventLoop();
      const leftMs = until - this.#rejectedMs;
      if (leftMs <= 0) throw createRejection();
      return await this.#retry(attempt, leftMs);
    } finally {
      this.#release();
    }
  }

  /** Expected wait of a new caller: the time that the waiting callers take at their recent rate. */
  get expectedWaitMs(): number {
    return this.#estimate.expectMs(this.#waiting.length);
  }

  /**
   * True while so many callers wait for work in this process that more of them would only take memory. False while a
   * lock or another process is waited for.
   */
  get hasBacklog(): boolean {
    return this.#options.concurrency === 1 && !this.#isRejected &&
      this.#waiting.length > BACKLOG;
  }

  /** Ends the pauses: each waiting caller tries once more, and fails with the error of its call. */
  [Symbol.dispose](): void {
    this.#closing.abort();
  }

  async #acquire(): Promise<void> {
    const { clock, concurrency, maxWaiting, createRejection } = this.#options;
    if (this.#taken < concurrency) {
      const now = clock.monotonic();
      if (this.#taken++ === 0) this.#triedAt = now;
      this.#sliceStart = now;
      return;
    }
    if (this.#waiting.length >= maxWaiting) throw createRejection();
    if (this.#waiting.length === 0) {
      this.#endedAt = clock.monotonic();
      this.#rejectedMsAtEnd = this.#rejectedMs;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (!next) return void this.#taken--;
    this.#measure();
    next();
  }

  /** Measures the caller that has ended, unless it waited for the lock: how long says nothing about the next ones. */
  #measure(): void {
    const now = this.#options.clock.monotonic();
    const workedMs = now - this.#endedAt;
    const wasRejected = this.#rejectedMs > this.#rejectedMsAtEnd;
    this.#endedAt = now;
    this.#rejectedMsAtEnd = this.#rejectedMs;
    if (!wasRejected) this.#estimate.add(workedMs);
  }

  async #yieldToEventLoop(): Promise<void> {
    const { clock, concurrency } = this.#options;
    // A test's clock does not advance while callers run in a row. Concurrent callers wait for sockets, not in a row.
    if (clock !== systemClock || concurrency > 1) return;
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
        this.#isRejected = false;
        return result;
      } catch (error) {
        const now = clock.monotonic();
        leftMs -= Math.min(now - since, MAX_GAP_MS);
        since = now;
        const isRejected = isPassing(error);
        this.#isRejected = isRejected;
        this.#count(now, isRejected ? undefined : startedAt);
        const isOver = leftMs <= 0 || this.#closing.signal.aborted;
        if (isOver || !isRejected) throw error;
        const jittered = Math.min(pauseMs, LAST_PAUSE_MS) * (0.5 + random());
        await this.#pause(Math.min(leftMs, jittered));
      }
    }
  }

  /**
   * Adds the time since the last try.
   *
   * @param failedFrom Start of a try that failed for another reason; a hanging server also counts as time of the lock.
   */
  #count(now: number, failedFrom?: number): void {
    this.#rejectedMs += failedFrom === undefined
      ? Math.min(now - this.#triedAt, MAX_GAP_MS)
      : now - Math.max(failedFrom, this.#triedAt);
    this.#triedAt = now;
  }

  async #pause(ms: number): Promise<void> {
    await this.#options.clock.sleep(ms, this.#closing.signal).catch(() => {});
  }
}
