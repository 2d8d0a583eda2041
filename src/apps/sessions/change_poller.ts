import type { Bus } from "../../core/bus.ts";
import type { Clock } from "../../async/clock.ts";
import { EVENT_OF_STATUS } from "./status.ts";
import type { LookoutStore, Seen } from "./store/changes.ts";

/** Longest time between two looks: what another replica does is noticed within a second. */
const LOOK_MS = 900;

/** Share of the time between two looks that is left to chance, so that replicas do not look in step. */
const JITTER = 0.3;

/** What is waited for: that a session has started or ended, that a pool has sessions to claim, that a worker has orders. */
export type Watched = "start" | "end" | "pool" | "worker";

/** What a lookout works with. */
export interface LookoutOptions {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly store: LookoutStore;
  /** Aborted when the server begins to stop: whoever waits is released then. */
  readonly stopping: AbortSignal;
}

/**
 * Notices what other replicas did, and tells this one's bus of it: by one look at the database about every second,
 * however many wait, and none while nobody does.
 */
export class Lookout {
  readonly #options: LookoutOptions;
  readonly #watched: Readonly<Record<Watched, Map<string, number>>> = {
    start: new Map(),
    end: new Map(),
    pool: new Map(),
    worker: new Map(),
  };
  #rest: AbortController | undefined;

  constructor(options: LookoutOptions) {
    this.#options = options;
  }

  /** Watches over `id` until disposed. Subscribe to the bus before. */
  watch(what: Watched, id: string): Disposable {
    const ids = this.#watched[what];
    ids.set(id, (ids.get(id) ?? 0) + 1);
    if (!this.#rest) void this.#run(this.#rest = new AbortController());
    return { [Symbol.dispose]: () => this.#unwatch(ids, id) };
  }

  #unwatch(ids: Map<string, number>, id: string): void {
    const left = (ids.get(id) ?? 0) - 1;
    if (left > 0) ids.set(id, left);
    else ids.delete(id);
    if (this.#isIdle()) this.#rest?.abort();
  }

  #isIdle(): boolean {
    return Object.values(this.#watched).every(({ size }) => size === 0);
  }

  async #run(rest: AbortController): Promise<void> {
    const { clock, store, stopping } = this.#options;
    const end = AbortSignal.any([rest.signal, stopping]);
    while (!end.aborted) {
      const pause = LOOK_MS * (1 - JITTER * Math.random());
      await clock.sleep(pause, end).catch(() => {});
      if (end.aborted) break;
      try {
        this.#tell(await store.look(this.#ids()));
      } catch {
        // Whoever waits looks for himself in the end; the next look may succeed.
      }
    }
    if (stopping.aborted) return;
    this.#rest = undefined;
    // Somebody may have begun to wait while the last one left.
    if (!this.#isIdle()) void this.#run(this.#rest = new AbortController());
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

  #tell({ sessions, pools, workers }: Seen): void {
    const { bus } = this.#options;
    for (const { id, status } of sessions) {
      bus.publish({ type: EVENT_OF_STATUS[status], subject: id });
    }
    for (const id of pools) {
      bus.publish({ type: "sessions_waiting", subject: id, work_pool_id: id });
    }
    for (const id of workers) {
      bus.publish({ type: "worker_commanded", subject: id, worker_id: id });
    }
  }
}
