import type { Core } from "../../core/app.ts";
import type { WorkerCaller } from "../../http/auth/worker_caller.ts";
import type { WorkerManager } from "../workers/manager.ts";
import type { BrowserEvents } from "./schemas/browser_events.ts";
import { insertBrowserEvents } from "./store/browser_events.ts";

/** Receives browser events from workers, for the webhooks that select them. */
export class BrowserEventManager {
  readonly #core: Pick<Core, "bus" | "clock" | "db">;
  readonly #workers: Pick<WorkerManager, "requireProven">;

  constructor(
    core: Pick<Core, "bus" | "clock" | "db">,
    workers: Pick<WorkerManager, "requireProven">,
  ) {
    this.#core = core;
    this.#workers = workers;
  }

  /**
   * Inserts a delivery for each event that a webhook receives, once for each id. Returns their number. Two round trips.
   *
   * @throws {GridError} `worker_not_found`, `worker_replaced`, `unauthorized` - the caller is not the worker's process.
   */
  async record(
    workerId: string,
    { events, dropped }: BrowserEvents,
    caller: WorkerCaller,
  ): Promise<number> {
    await this.#workers.requireProven(workerId, caller);
    if (events.length + dropped.length === 0) return 0;
    const { bus, clock, db } = this.#core;
    const now = clock.now();
    const count = await insertBrowserEvents(db, {
      workerId,
      events,
      dropped,
      now,
    });
    if (count > 0) bus.publish({ type: "browser_events", subject: workerId });
    return count;
  }
}
