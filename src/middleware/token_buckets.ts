import { lruTouch } from "../async/lru.ts";

/** How fast and how much at once. */
export interface BucketLimit {
  readonly requests_per_second: number;
  /** Requests that a bucket holds when it is full. */
  readonly burst: number;
}

/** What a bucket says. */
export interface BucketLevel {
  /** Whether there was a token, or is one. */
  readonly isAllowed: boolean;
  /** Whole tokens that are left. */
  readonly remaining: number;
  /** Seconds, rounded up, until there is one more. */
  readonly nextSeconds: number;
}

interface Bucket {
  tokens: number;
  /** Monotonic time at which `tokens` was right. */
  at: number;
}

/**
 * Buckets that fill with time, one for each key, without timers.
 *
 * At most `maxBuckets` are kept; past it the one that was used longest ago is forgotten, which fills it.
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

  /** Takes a token, if there is one. `now` is monotonic, in milliseconds. */
  take(key: string, now: number): BucketLevel {
    const bucket = this.#refill(key, now);
    const isGiven = bucket.tokens >= 1;
    if (isGiven) bucket.tokens -= 1;
    lruTouch(this.#buckets, [key, bucket], this.#maxBuckets);
    return this.#toLevel(bucket, isGiven);
  }

  /** Looks without taking. */
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
