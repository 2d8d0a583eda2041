import type { SeriesRollUp } from "../../db/series/roll_up.ts";
import { nextTurn } from "../../async/next_turn.ts";
import type { Core } from "../../core/app.ts";
import type { ChangePublisher } from "./change_publisher.ts";
import { IDEMPOTENCY_TTL_MS } from "./idempotency.ts";
import type { EndCause } from "./lifecycle_metrics.ts";
import type { DeadlineStore } from "./store/lifecycle/deadlines.ts";
import type { SessionPruner } from "./store/lifecycle/prune.ts";
import type { StatusChange } from "./store/lifecycle/transition.ts";

/** Time for which parts of followed output are kept, longer than a client needs to reconnect. */
const LOG_PARTS_TTL_MS = 60_000;

/** Longest time of one pass that deletes old sessions. */
const MAX_PRUNE_MS = 1_000;

/** Applies deadlines to sessions, for the reconciler. Each method returns the number of sessions that it changed. */
export class Deadlines {
  readonly #core: Pick<Core, "clock" | "settings">;
  readonly #store: DeadlineStore;
  readonly #pruner: Pick<SessionPruner, "step">;
  readonly #publisher: ChangePublisher;
  readonly #rollUp: Pick<SeriesRollUp, "runOnce">;

  constructor(
    core: Pick<Core, "clock" | "settings">,
    { store, pruner, publisher, rollUp }: {
      readonly store: DeadlineStore;
      readonly pruner: Pick<SessionPruner, "step">;
      readonly publisher: ChangePublisher;
      readonly rollUp: Pick<SeriesRollUp, "runOnce">;
    },
  ) {
    this.#core = core;
    this.#pruner = pruner;
    this.#store = store;
    this.#publisher = publisher;
    this.#rollUp = rollUp;
  }

  expireLeases(): Promise<number> {
    const maxAttempts = this.#core.settings.max_start_attempts;
    const limits = { maxAttempts, leaseMs: this.#leaseMs };
    return this.#publish(
      this.#store.expireLeases(this.#now, limits),
      "lease_lost",
    );
  }

  failOverdue(): Promise<number> {
    return this.#publish(this.#store.failOverdue(this.#now), "queue_deadline");
  }

  failSlowStarts(): Promise<number> {
    return this.#publish(
      this.#store.failSlowStarts(this.#now),
      "start_deadline",
    );
  }

  endAbandoned(): Promise<number> {
    return this.#publish(this.#store.endAbandoned(this.#now), "client_lost");
  }

  endDrained(): Promise<number> {
    return this.#publish(this.#store.endDrained(this.#now), "stop_overdue");
  }

  expireLifetimes(): Promise<number> {
    return this.#publish(this.#store.expireLifetimes(this.#now), "lifetime");
  }

  async markIdle(): Promise<number> {
    const changes = await this.#store.markIdle(this.#now);
    this.#publisher.publishActivity("session_idle", changes);
    return changes.length;
  }

  timeOutIdle(): Promise<number> {
    return this.#publish(this.#store.timeOutIdle(this.#now), "stop_overdue");
  }

  enforceStops(): Promise<number> {
    const since = this.#now - this.#leaseMs;
    return this.#publish(
      this.#store.enforceStops(since, this.#now),
      "stop_overdue",
    );
  }

  /**
   * Deletes sessions that ended before the retention time, and expired idempotency keys. Other work has its turn between
   * two steps; what is left after a second is deleted in the next pass.
   */
  async prune(): Promise<number> {
    const { clock, settings: { retention_hours } } = this.#core;
    const limits = {
      ended: this.#now - retention_hours * 3_600_000,
      keys: this.#now - IDEMPOTENCY_TTL_MS,
      logs: this.#now - LOG_PARTS_TTL_MS,
    };
    const until = clock.monotonic() + MAX_PRUNE_MS;
    for (let total = 0;;) {
      const { pruned, hasMore } = await this.#pruner.step(limits);
      total += pruned;
      if (!hasMore || clock.monotonic() >= until) return total;
      await nextTurn();
    }
  }

  /** Keeps one measurement a minute of those that are old, and returns the number of replaced ones. */
  rollUpMetrics(): Promise<number> {
    return this.#rollUp.runOnce();
  }

  get #now(): number {
    return this.#core.clock.now();
  }

  get #leaseMs(): number {
    return this.#core.settings.lease_seconds * 1_000;
  }

  async #publish(
    pending: Promise<readonly StatusChange[]>,
    cause: EndCause,
  ): Promise<number> {
    const changes = await pending;
    this.#publisher.publishDue(changes, cause);
    return changes.length;
  }
}
