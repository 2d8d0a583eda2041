import { deadline } from "../../../async/deadline.ts";
import type { Core } from "../../../core/app.ts";
import type { Latch } from "../../../core/bus.ts";
import { createLogger } from "../../../core/log.ts";
import { isTerminal, SESSION_STATUSES, STATUS_EVENTS } from "../status.ts";
import type { LogStore } from "../store/logs.ts";
import { LogSubscription } from "./log_subscription.ts";

const log = createLogger("apps", "sessions");

/** Type of the bus event of new output. */
export const LOGS_ADDED = "session_logs_added";

/** Longest time between two reads: output that another server received arrives within a second. */
const MAX_INTERVAL_MS = 900;

/** Random share of the interval, so that servers do not read at the same time. */
const JITTER = 0.3;

/** Shortest time between two reads, so that many parts in a short time are one read. */
const MIN_INTERVAL_MS = 50;

/** Time after which the sessions are no longer followed, unless this server renews it. */
export const FOLLOW_MS = 20_000;

/** Interval at which it does. */
const RENEW_MS = 5_000;

/** Time for which a session is followed after its last client, which may reconnect. */
const RELEASE_MS = 3_000;

const ENDS: ReadonlySet<string> = new Set(
  SESSION_STATUSES.filter(isTerminal).map((status) => STATUS_EVENTS[status]),
);

/** A followed session. */
interface Watched {
  readonly subscriptions: Set<LogSubscription>;
  /** The last part that was read; undefined before the first subscription has begun. */
  after: number | undefined;
}

/**
 * Reads new output from the database for all followers of this server together: at once when this server receives some,
 * else about once a second, and not at all without followers.
 */
export class LogFeed {
  /** Identifies this process. */
  readonly follower: string = crypto.randomUUID();
  readonly #core: Pick<Core, "bus" | "clock" | "stopping">;
  readonly #store: LogStore;
  readonly #watched = new Map<string, Watched>();
  #end: AbortController | undefined;
  #renewedAt = -Infinity;
  #reading: Promise<boolean> | undefined;

  constructor(
    core: Pick<Core, "bus" | "clock" | "stopping">,
    store: LogStore,
  ) {
    this.#core = core;
    this.#store = store;
  }

  /** Adds a subscription to a session, which gets nothing before {@linkcode begin}. Disposal removes it. */
  attach(
    id: string,
  ): Disposable & { readonly subscription: LogSubscription } {
    const subscription = new LogSubscription();
    const watched = this.#watched.get(id) ??
      { subscriptions: new Set(), after: undefined };
    this.#watched.set(id, watched);
    watched.subscriptions.add(subscription);
    if (!this.#end) void this.#run(this.#end = new AbortController());
    return {
      subscription,
      [Symbol.dispose]: () => this.#detach(id, watched, subscription),
    };
  }

  /** Begins to read a session after a part, unless it is read already. */
  begin(id: string, after: number): void {
    const watched = this.#watched.get(id);
    if (watched) watched.after ??= after;
  }

  #detach(
    id: string,
    watched: Watched,
    subscription: LogSubscription,
  ): void {
    if (!watched.subscriptions.delete(subscription)) return;
    if (watched.subscriptions.size > 0) return;
    this.#watched.delete(id);
    void this.#release(id);
    if (this.#watched.size > 0) return;
    this.#end?.abort();
    this.#end = undefined;
  }

  /** Never rejects: if it fails, the session is followed until the time that was set before. */
  async #release(id: string): Promise<void> {
    // A read that has begun may follow the session for longer.
    await this.#reading?.catch(() => {});
    if (this.#watched.has(id)) return;
    const until = this.#core.clock.now() + RELEASE_MS;
    await this.#store.release(id, this.follower, until).catch(() => {});
  }

  /** Never rejects: a failed read is repeated. */
  async #run(run: AbortController): Promise<void> {
    const { bus, stopping } = this.#core;
    const end = AbortSignal.any([run.signal, stopping]);
    using changes = bus.latch(({ type, subject }) =>
      (type === LOGS_ADDED || ENDS.has(type)) && this.#watched.has(subject)
    );
    let isFailing = false;
    while (!end.aborted) {
      await this.#pause(changes, end);
      if (end.aborted) return;
      try {
        do this.#reading = this.#read(); while (await this.#reading);
        isFailing = false;
      } catch (error) {
        if (!isFailing) {
          log.warn("Reading followed output failed, retrying: {error}", {
            error,
          });
        }
        isFailing = true;
      }
    }
  }

  /** Returns true if there may be more to read now. */
  async #read(): Promise<boolean> {
    const watched = [...this.#watched].flatMap(([id, { after }]) =>
      after === undefined ? [] : [{ id, after }]
    );
    if (watched.length === 0) return false;
    const { parts, ended, hasMore } = await this.#store.poll(
      watched,
      this.#renewal(),
    );
    for (const part of parts) {
      const found = this.#watched.get(part.sessionId);
      if (found?.after === undefined || part.seq <= found.after) continue;
      found.after = part.seq;
      for (const each of found.subscriptions) each.add(part);
    }
    if (hasMore) return true;
    for (const session of ended) {
      const found = this.#watched.get(session.id);
      for (const each of found?.subscriptions ?? []) each.end(session);
    }
    return false;
  }

  /** Returns how long the sessions are followed from now on; undefined if that is not due. */
  #renewal() {
    const { clock } = this.#core;
    const at = clock.monotonic();
    if (at - this.#renewedAt < RENEW_MS) return undefined;
    this.#renewedAt = at;
    const now = clock.now();
    return { follower: this.follower, now, until: now + FOLLOW_MS };
  }

  async #pause(changes: Latch, end: AbortSignal): Promise<void> {
    const { clock } = this.#core;
    await clock.sleep(MIN_INTERVAL_MS, end).catch(() => {});
    const ms = MAX_INTERVAL_MS * (1 - JITTER * Math.random());
    using timeout = deadline(clock, ms - MIN_INTERVAL_MS, end);
    await changes.next(timeout.signal);
  }
}
