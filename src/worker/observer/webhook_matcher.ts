import type { Observation } from "../../client/client.ts";
import { type CdpEvent, compileFilters } from "./filters.ts";
import { TokenBucket } from "../../async/token_bucket.ts";

/** Maximum rate of the events of one webhook and session. */
const RATE = { perSecond: 20, burst: 40 };

/** Selects the events of one session for one webhook, and counts those beyond its rate. */
export class WebhookMatcher {
  readonly webhookId: string;
  readonly events: readonly string[];
  readonly hasFilters: boolean;
  readonly #matches: (event: CdpEvent) => boolean;
  readonly #onDropped: () => void;
  readonly #bucket: TokenBucket;
  #dropped = 0;

  /** @param before Matcher of the same webhook whose rate continues. */
  constructor(
    { webhook_id, events, filters }: Observation,
    onDropped: () => void,
    before?: WebhookMatcher,
  ) {
    this.webhookId = webhook_id;
    this.events = events;
    this.hasFilters = filters.length > 0;
    this.#matches = compileFilters(filters);
    this.#onDropped = onDropped;
    this.#bucket = before ? before.#bucket : new TokenBucket(RATE);
    this.#dropped = before ? before.#dropped : 0;
  }

  /** Reports whether one more event is within the rate. */
  hasRoom(now: number): boolean {
    return this.#bucket.has(now);
  }

  /** Counts an event that is not sent. */
  drop(): void {
    this.#dropped++;
    this.#onDropped();
  }

  /**
   * Returns the number of events that were dropped since the last one if the event is sent; undefined if it does not match
   * or is dropped.
   */
  accept(event: CdpEvent, now: number): number | undefined {
    if (!this.#matches(event)) return undefined;
    if (!this.#bucket.take(now)) {
      this.drop();
      return undefined;
    }
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}
