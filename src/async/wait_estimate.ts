/** Weight of the earlier times in the mean, which forgets all but about the last hundred. */
const MEMORY = 0.99;

/**
 * Times that the mean begins with, and their length: one slow item after the start, or one turn of the event loop that
 * served many sockets, is no rate. Divided by the concurrency, because concurrent items are seldom that fast.
 */
const ASSUMED_COUNT = 100;
const ASSUMED_MS = 1;

/** Longest time of an item that counts, for each concurrent one. A longer one tells more of the process than of the next items. */
const MAX_ITEM_MS = 100;

/** Estimates how long a queue takes, by the mean time between the ends of its recent items. */
export class WaitEstimate {
  readonly #maxMs: number;
  #totalMs: number;
  #count: number;

  /** @param concurrency Number of items that are worked on at the same time. */
  constructor(concurrency = 1) {
    this.#maxMs = MAX_ITEM_MS * concurrency;
    this.#count = ASSUMED_COUNT / concurrency;
    this.#totalMs = this.#count * ASSUMED_MS;
  }

  /** Adds the time between the ends of two items, while others waited. */
  add(ms: number): void {
    this.#totalMs = MEMORY * this.#totalMs + Math.min(ms, this.#maxMs);
    this.#count = MEMORY * this.#count + 1;
  }

  /** Returns the expected time of `length` items, in milliseconds. */
  expectMs(length: number): number {
    return length * this.#totalMs / this.#count;
  }
}
