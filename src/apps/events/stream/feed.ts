import { abortable } from "../../../async/abortable.ts";
import { deadline } from "../../../async/deadline.ts";
import { nextTurn } from "../../../async/next_turn.ts";
import type { Core } from "../../../core/app.ts";
import type { Latch } from "../../../core/bus.ts";
import { createLogger } from "../../../core/log.ts";
import type { EventFilter } from "../event.ts";
import { MAX_NEW, readLastSequence, readNew } from "../store/read_new.ts";
import { Subscription } from "./subscription.ts";

const log = createLogger("apps", "events");

/** Longest time between two reads: an event of another server arrives within a second. */
const MAX_INTERVAL_MS = 900;

/** Random share of the interval, so that servers do not read at the same time. */
const JITTER = 0.3;

/** Shortest time between two reads, so that many changes in a short time are one read. */
const MIN_INTERVAL_MS = 20;

/** A subscription, until it is disposed. */
export interface Attachment extends Disposable {
  readonly subscription: Subscription;
  /**
   * Clears the subscription and returns the sequence after which its events begin.
   *
   * @throws The reason of `signal`, if it is aborted before the first read.
   */
  restart(signal: AbortSignal): Promise<number>;
}

/** A run of the feed, from its first subscriber to its last. */
interface Run {
  /** Aborted at the end of the run. */
  readonly end: AbortController;
  /** Resolves when the position is known. */
  readonly started: PromiseWithResolvers<void>;
  /** Sequence of the last event that was read. */
  position: number;
}

/**
 * Reads new events from the database for all subscribers of this server together: at once when something changes on
 * this server, else about once a second, and not at all without subscribers.
 */
export class EventFeed {
  readonly #core: Pick<Core, "bus" | "clock" | "db" | "stopping">;
  readonly #subscriptions = new Set<Subscription>();
  #run: Run | undefined;

  constructor(core: Pick<Core, "bus" | "clock" | "db" | "stopping">) {
    this.#core = core;
  }

  /** Adds a subscriber. */
  attach(filter: EventFilter): Attachment {
    const subscription = new Subscription(filter);
    this.#subscriptions.add(subscription);
    const run = this.#run ??= this.#start();
    return {
      subscription,
      async restart(signal) {
        await abortable(run.started.promise, signal);
        subscription.clear();
        return run.position;
      },
      [Symbol.dispose]: () => this.#detach(subscription),
    };
  }

  #detach(subscription: Subscription): void {
    this.#subscriptions.delete(subscription);
    if (this.#subscriptions.size > 0) return;
    this.#run?.end.abort();
    this.#run = undefined;
  }

  #start(): Run {
    const run = {
      end: new AbortController(),
      started: Promise.withResolvers<void>(),
      position: 0,
    };
    void this.#readUntilEnd(run);
    return run;
  }

  /** Never rejects: a failed read is repeated. */
  async #readUntilEnd(run: Run): Promise<void> {
    const { bus, stopping } = this.#core;
    const end = AbortSignal.any([run.end.signal, stopping]);
    using changes = bus.latch(() => true);
    let isStarted = false;
    let isFailing = false;
    while (!end.aborted) {
      try {
        if (isStarted) await this.#readNew(run);
        else {
          run.position = await readLastSequence(this.#core.db);
          isStarted = true;
          run.started.resolve();
        }
        isFailing = false;
      } catch (error) {
        if (!isFailing) {
          log.warn("Reading events failed, retrying: {error}", { error });
        }
        isFailing = true;
      }
      await this.#pause(changes, end);
    }
  }

  /** Passes new events to the subscribers. */
  async #readNew(run: Run): Promise<void> {
    for (;;) {
      const events = await readNew(this.#core.db, run.position);
      const last = events.at(-1);
      if (!last || run.end.signal.aborted) return;
      run.position = last.sequence;
      for (const each of this.#subscriptions) each.add(events);
      if (events.length < MAX_NEW) return;
      // Sockets have their turn between two reads of many events.
      await nextTurn();
    }
  }

  async #pause(changes: Latch, end: AbortSignal): Promise<void> {
    const { clock } = this.#core;
    await clock.sleep(MIN_INTERVAL_MS, end).catch(() => {});
    const ms = MAX_INTERVAL_MS * (1 - JITTER * Math.random());
    using timeout = deadline(clock, ms - MIN_INTERVAL_MS, end);
    await changes.next(timeout.signal);
  }
}
