/** A limit on a rate, with bursts. It refills over time without a timer. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at = -Infinity;

  constructor(
    { perSecond, burst }: {
      readonly perSecond: number;
      readonly burst: number;
    },
  ) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /**
   * Returns the number of tokens, with a fraction of the next one. Changes
   * nothing. @param now Monotonic time in milliseconds.
   */
  count(now: number): number {
    const gained = Math.max(0, now - this.#at) / 1_000 * this.#perSecond;
    return Math.min(this.#burst, this.#tokens + gained);
  }

  /** Reports whether there is a token. */
  has(now: number): boolean {
    return this.count(now) >= 1;
  }

  /** Takes a token. Returns false if there is none. */
  take(now: number): boolean {
    const tokens = this.count(now);
    const isAvailable = tokens >= 1;
    this.#tokens = isAvailable ? tokens - 1 : tokens;
    // A time before the last one must not add the same tokens twice.
    this.#at = Math.max(this.#at, now);
    return isAvailable;
  }
}
