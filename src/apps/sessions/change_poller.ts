import type { Clock } from "../../async/clock.ts";
import type { Bus } from "../../core/bus.ts";
import { STATUS_EVENTS } from "./status.ts";
import type {
  ChangeStore,
  PolledChanges,
  WatchTarget,
} from "./store/changes.ts";

/** Maximum time between two polls: a change by another server is noticed within a second. */
const POLL_INTERVAL_MS = 900;

/** Random share of the interval, so that servers do not poll at the same time. */
const JITTER = 0.3;

/** Dependencies of a {@linkcode ChangePoller}. */
export interface ChangePollerOptions {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly store: ChangeStore;
  /** Aborted when the server begins to stop: polling ends. */
  readonly stopping: AbortSignal;
}

/**
 * Publishes changes that other servers made on the bus of this one. It polls the database about once a second for all
 * watched subjects together, and not at all without any.
 */
export class ChangePoller {
  readonly #options: ChangePollerOptions;
  readonly #watched: Readonly<Record<WatchTarget, Map<string, number>>> = {
    start: new Map(),
    end: new Map(),
    pool: new Map(),
    worker: new Map(),
    handover: new Map(),
    hold: new Map(),
  };
  #running: AbortController | undefined;

  constructor(options: ChangePollerOptions) {
    this.#options = options;
  }

  /** Watches `id` until disposed. Subscribe to the bus before. */
  watch(target: WatchTarget, id: string): Disposable {
    const ids = this.#watched[target];
    ids.set(id, (ids.get(id) ?? 0) + 1);
    if (!this.#running) void this.#run(this.#running = new AbortController());
    return { [Symbol.dispose]: () => this.#unwatch(ids, id) };
  }

  #unwatch(ids: Map<string, number>, id: string): void {
    const remaining = (ids.get(id) ?? 0) - 1;
    if (remaining > 0) ids.set(id, remaining);
    else ids.delete(id);
    if (this.#isIdle()) this.#running?.abort();
  }

  #isIdle(): boolean {
    return Object.values(this.#watched).every(({ size }) => size === 0);
  }

  async #run(running: AbortController): Promise<void> {
    const { clock, store, stopping } = this.#options;
    const end = AbortSignal.any([running.signal, stopping]);
    while (!end.aborted) {
      const pause = POLL_INTERVAL_MS * (1 - JITTER * Math.random());
      await clock.sleep(pause, end).catch(() => {});
      if (end.aborted) break;
      try {
        this.#publish(await store.poll(this.#collectIds()));
      } catch {
        // The next poll may succeed, and a waiting request reads the database itself before it times out.
      }
    }
    if (stopping.aborted) return;
    this.#running = undefined;
    // A watch may have begun while the last poll ended.
    if (!this.#isIdle()) void this.#run(this.#running = new AbortController());
  }

  #collectIds(): Readonly<Record<WatchTarget, readonly string[]>> {
    const { start, end, pool, worker, handover, hold } = this.#watched;
    return {
      start: [...start.keys()],
      end: [...end.keys()],
      pool: [...pool.keys()],
      worker: [...worker.keys()],
      handover: [...handover.keys()],
      hold: [...hold.keys()],
    };
  }

  #publish(
    { sessions, pools, workers, handedBack, held }: PolledChanges,
  ): void {
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
    for (const id of handedBack) {
      bus.publish({ type: "handover_resolved", subject: id });
    }
    for (const id of held) {
      bus.publish({ type: "control_changed", subject: id });
    }
  }
}
