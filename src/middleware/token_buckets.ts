import { lruTouch } from "../async/lru.ts";

/** Rate and burst of a bucket. */
export interface BucketLimit {
  readonly requests_per_second: number;
  /** Requests that a full bucket allows. */
  readonly burst: number;
}

/** State of a bucket. */
export interface BucketLevel {
  /** A token was taken, or is available. */
  readonly isAllowed: boolean;
  /** Remaining whole tokens. */
  readonly remaining: number;
  /** Seconds until the next token, rounded up. */
  readonly nextSeconds: number;
}

interface Bucket {
  tokens: number;
  /** Monotonic time of `tokens`. */
  at: number;
}

/**
 * Token buckets by key, which refill over time without timers.
 *
 * At most `maxBuckets` are kept; beyond that the least recently used one is dropped, which refills it.
 */
export class TokenBuckets {
  readonly #limit: BucketLimit;
  readonly #maxBuckets: number;
  /** Ordered by last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: BucketLimit, maxBuckets: number) {
    this.#limit = limit;
    this.#maxBuckets = maxBuckets;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token if there is one. `now` is monotonic, in milliseconds. */
  take(key: string, now: number): BucketLevel {
    const bucket = this.#refill(key, now);
    const isGiven = bucket.tokens >= 1;
    if (isGiven) bucket.tokens -= 1;
    lruTouch(this.#buckets, [key, bucket], this.#maxBuckets);
    return this.#toLevel(bucket, isGiven);
  }

  /** Returns the state without taking a token. */
  peek(key: string, now: number): BucketLevel {
    const bucket = this.#refill(key, now);
    return this.#toLevel(bucket, bucket.tokens >= 1);
  }

  #refill(key: string, now: number): Bucket {
    const { requests_per_second, burst } = this.#limit;
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: burst, at: now };
    const gained = Math.max(0, now - at) / 1_000 * requests_per_second;
    return { tokens: Math.min(burst, tokens + gained), at: now };
  }

  #toLevel({ tokens }: Bucket, isGiven: boolean): BucketLevel {
    const remaining = Math.floor(tokens);
    const missing = remaining + 1 - tokens;
    return {
      isAllowed: isGiven,
      remaining,
      nextSeconds: Math.ceil(missing / this.#limit.requests_per_second),
    };
  }
}
