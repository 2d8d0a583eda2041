import { abortable } from "../../../async/abortable.ts";
import { type Clock, systemClock } from "../../../async/clock.ts";

/** Maximum time before its end at which a token is replaced. */
const MARGIN_MS = 300_000;

/** A token of Azure. */
export interface AccessToken {
  readonly value: string;
  readonly lifetimeMs: number;
}

/** Requests a new token. */
export type TokenRequest = () => Promise<AccessToken>;

/** A token that is cached until shortly before its end. Concurrent callers share one request. */
export class TokenSource {
  readonly #request: TokenRequest;
  readonly #clock: Pick<Clock, "monotonic">;
  #pending: Promise<string> | undefined;
  #cached: { value: string; refreshAt: number; endsAt: number } | undefined;

  constructor(
    request: TokenRequest,
    clock: Pick<Clock, "monotonic"> = systemClock,
  ) {
    this.#request = request;
    this.#clock = clock;
  }

  /** Returns a valid token. @throws {Error} If none can be obtained; or the reason of the signal. */
  async get(signal: AbortSignal): Promise<string> {
    const cached = this.#cached;
    if (cached && this.#clock.monotonic() < cached.refreshAt) {
      return cached.value;
    }
    this.#pending ??= this.#refresh().finally(() => this.#pending = undefined);
    return await abortable(this.#pending, signal);
  }

  /** Removes a token that Azure rejects from the cache. */
  evict(value: string): void {
    if (this.#cached?.value === value) this.#cached = undefined;
  }

  async #refresh(): Promise<string> {
    try {
      const { value, lifetimeMs } = await this.#request();
      const now = this.#clock.monotonic();
      const endsAt = now + lifetimeMs;
      const refreshAt = endsAt - Math.min(MARGIN_MS, lifetimeMs / 2);
      this.#cached = { value, refreshAt, endsAt };
      return value;
    } catch (error) {
      // The sign-in may be unavailable for a while.
      const cached = this.#cached;
      if (cached && this.#clock.monotonic() < cached.endsAt) {
        return cached.value;
      }
      throw error;
    }
  }
}
