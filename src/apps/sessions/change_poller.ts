import type { Bus } from "../../core/bus.ts";
import type { Clock } from "../../async/clock.ts";
import { STATUS_EVENTS } from "./status.ts";
import type { ChangeStore, PolledChanges } from "./store/changes.ts";

/** Longest time between two looks: what another replica does is noticed within a second. */
const POLL_INTERVAL_MS = 900;

/** Share of the time between two looks that is left to chance, so that replicas do not look in step. */
const JITTER = 0.3;

/** What is waited for: that a session has started or ended, that a pool has sessions to claim, that a worker has orders. */
export type WatchTarget = "start" | "end" | "pool" | "worker";

/** What a lookout works with. */
export interface ChangePollerOptions {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly store: ChangeStore;
  /** Aborted when the server begins to stop: whoever waits is released then. */
  readonly stopping: AbortSignal;
}

/**
 * Notices what other replicas did, and tells this one's bus of it: by one look at the database about every second,
 * however many wait, and none while nobody does.
 */
export class ChangePoller {
  readonly #options: ChangePollerOptions;
  readonly #watched: Readonly<Record<WatchTarget, Map<string, number>>> = {
    start: new Map(),
    end: new Map(),
    pool: new Map(),
    worker: new Map(),
  };
  #running: AbortController | undefined;

  constructor(options: ChangePollerOptions) {
    this.#options = options;
  }

  /** Watches over `id` until disposed. Subscribe to the bus before. */
  watch(what: WatchTarget, id: string): Disposable {
    const ids = this.#watched[what];
    ids.set(id, (ids.get(id) ?? 0) + 1);
    if (!this.#running) void this.#run(this.#running = new AbortController());
    return { [Symbol.dispose]: () => this.#unwatch(ids, id) };
  }

  #unwatch(ids: Map<string, number>, id: string): void {
    const left = (ids.get(id) ?? 0) - 1;
    if (left > 0) ids.set(id, left);
    else ids.delete(id);
    if (this.#isIdle()) this.#running?.abort();
  }

  #isIdle(): boolean {
    return Object.values(this.#watched).every(({ size }) => size === 0);
  }

  async #run(rest: AbortController): Promise<void> {
    const { clock, store, stopping } = this.#options;
    const end = AbortSignal.any([rest.signal, stopping]);
    while (!end.aborted) {
      const pause = POLL_INTERVAL_MS * (1 - JITTER * Math.random());
      await clock.sleep(pause, end).catch(() => {});
      if (end.aborted) break;
      try {
        this.#publish(await store.poll(this.#ids()));
      } catch {
        // Whoever waits looks for himself in the end; the next look may succeed.
      }
    }
    if (stopping.aborted) return;
    this.#running = undefined;
    // Somebody may have begun to wait while the last one left.
    if (!this.#isIdle()) void this.#run(this.#running = new AbortController());
  }

  #ids() {
    const { start, end, pool, worker } = this.#watched;
    return {
      start: [...start.keys()],
      end: [...end.keys()],
      pool: [...pool.keys()],
      worker: [...worker.keys()],
    };
  }

  #publish({ sessions, pools, workers }: PolledChanges): void {
    const { bus } = this.#options;
    for (const { id, status } of sessions) {
      bus.publish({ type: STATUS_EVENTS[status], subject: id });
    }
    for (const id of pools) {
      bus.publish({ type: "sessions_waiting", subject: id, work_pool_id: id });
    }
    for (const id of workers) {
      bus.publish({ type: "worker_commanded", subject: id, worker_id: id });
    }
  }
}
