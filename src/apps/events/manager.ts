import { nextTurn } from "../../async/next_turn.ts";
import type { Core } from "../../core/app.ts";
import {
  type EventPage,
  type EventPageQuery,
  listEvents,
} from "./store/list_events.ts";
import { EventPruner } from "./store/prune.ts";

/** Longest time of one pass that deletes old events. */
const MAX_PRUNE_MS = 1_000;

/** Time after which a pass begins with the oldest event again, for those that were kept for their sessions. */
const RESTART_MS = 24 * 3_600_000;

/** The record of events. */
export class EventManager {
  readonly #core: Pick<Core, "clock" | "db" | "settings">;
  readonly #pruner: EventPruner;
  #restartedAt: number;

  constructor(core: Pick<Core, "clock" | "db" | "settings">) {
    this.#core = core;
    this.#pruner = new EventPruner(core.db);
    this.#restartedAt = core.clock.monotonic();
  }

  /** Lists events in the order of their sequence. One round trip. */
  list(query: EventPageQuery): Promise<EventPage> {
    return listEvents(this.#core.db, query);
  }

  /**
   * Deletes events from before the retention time, except those of stored sessions. Other work has its turn between two
   * steps; what is left after a second is deleted in the next pass. Returns their number. For the reconciler.
   */
  async prune(): Promise<number> {
    const { clock, settings } = this.#core;
    if (clock.monotonic() - this.#restartedAt >= RESTART_MS) {
      this.#pruner.restart();
      this.#restartedAt = clock.monotonic();
    }
    const before = clock.now() - settings.event_retention_days * 24 * 3_600_000;
    const until = clock.monotonic() + MAX_PRUNE_MS;
    for (let total = 0;;) {
      const { pruned, hasMore } = await this.#pruner.step(before);
      total += pruned;
      if (!hasMore || clock.monotonic() >= until) return total;
      await nextTurn();
    }
  }
}
