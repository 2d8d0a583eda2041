import { lruTouch } from "../async/lru.ts";
import { TokenBucket } from "../async/token_bucket.ts";

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

/**
 * Token buckets by key, which refill over time without timers.
 *
 * At most `maxBuckets` are kept; beyond that the least recently used one is dropped, which refills it.
 */
export class TokenBuckets {
  readonly #limit: BucketLimit;
  readonly #maxBuckets: number;
  /** Ordered by last use. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(limit: BucketLimit, maxBuckets: number) {
    this.#limit = limit;
    this.#maxBuckets = maxBuckets;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token if there is one. `now` is monotonic, in milliseconds. */
  take(key: string, now: number): BucketLevel {
    const bucket = this.#find(key);
    const isGiven = bucket.take(now);
    lruTouch(this.#buckets, [key, bucket], this.#maxBuckets);
    return this.#toLevel(bucket.count(now), isGiven);
  }

  /** Returns the state without taking a token. */
  peek(key: string, now: number): BucketLevel {
    const tokens = this.#find(key).count(now);
    return this.#toLevel(tokens, tokens >= 1);
  }

  /** Returns the bucket of a key; a full one, which is not kept, if there is none. */
  #find(key: string): TokenBucket {
    const { requests_per_second: perSecond, burst } = this.#limit;
    return this.#buckets.get(key) ?? new TokenBucket({ perSecond, burst });
  }

  #toLevel(tokens: number, isGiven: boolean): BucketLevel {
    const remaining = Math.floor(tokens);
    const missing = remaining + 1 - tokens;
    return {
      isAllowed: isGiven,
      remaining,
      nextSeconds: Math.ceil(missing / this.#limit.requests_per_second),
    };
  }
}
