import type { EventFilter, StoredEvent } from "../event.ts";
import type { LabelledEvent } from "../store/read_new.ts";

/** Limits of the events that wait for a subscriber: their number, and the size of their data in characters. */
const MAX_WAITING = 1_000;
const MAX_SIZE = 1_048_576;

/** The new events that match the filter of one subscriber, in a buffer with a limit. */
export class Subscription {
  readonly #filter: EventFilter;
  readonly #types: ReadonlySet<string> | undefined;
  #waiting: StoredEvent[] = [];
  #size = 0;
  #isBehind = false;
  #wake = () => {};

  constructor(filter: EventFilter) {
    this.#filter = filter;
    this.#types = filter.types && new Set(filter.types);
  }

  /** Number of events that wait for the subscriber. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Adds events. If there are too many, all that wait are dropped, and {@linkcode next} returns undefined. */
  add(events: readonly LabelledEvent[]): void {
    if (this.#isBehind) return;
    for (const event of events) {
      if (!this.#matches(event)) continue;
      this.#waiting.push(event);
      this.#size += event.data.length;
    }
    if (this.#waiting.length > MAX_WAITING || this.#size > MAX_SIZE) {
      this.clear();
      this.#isBehind = true;
    }
    if (this.#isBehind || this.#waiting.length > 0) this.#wake();
  }

  /** Drops what waits, so that a subscriber that has read it from the database continues after it. */
  clear(): void {
    this.#waiting = [];
    this.#size = 0;
    this.#isBehind = false;
  }

  /**
   * Waits for events and returns them in order; none if `signal` is aborted first.
   *
   * @returns Undefined if events were dropped: the subscriber must read the database.
   */
  async next(
    signal: AbortSignal,
  ): Promise<readonly StoredEvent[] | undefined> {
    if (this.#waiting.length === 0 && !this.#isBehind && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      signal.removeEventListener("abort", wake);
    }
    if (this.#isBehind) return undefined;
    const events = this.#waiting;
    this.clear();
    return events;
  }

  #matches(event: LabelledEvent): boolean {
    const { owner, sessionId, workPoolId, workerId, since } = this.#filter;
    return (this.#types?.has(event.type) ?? true) &&
      (owner ?? event.owner) === event.owner &&
      (sessionId ?? event.sessionId) === event.sessionId &&
      (workPoolId ?? event.workPoolId) === event.workPoolId &&
      (workerId ?? event.workerId) === event.workerId &&
      event.timestamp >= (since ?? event.timestamp) && this.#hasLabel(event);
  }

  #hasLabel({ labels }: LabelledEvent): boolean {
    const { label } = this.#filter;
    if (!label) return true;
    if (labels === null) return false;
    const [name, value] = label;
    const found: Readonly<Record<string, string>> = JSON.parse(labels);
    return Object.hasOwn(found, name) && found[name] === value;
  }
}
