import type { Core } from "../../core/app.ts";
import type { ChangePublisher } from "./change_publisher.ts";
import { IDEMPOTENCY_TTL_MS } from "./idempotency.ts";
import type { DeadlineStore } from "./store/lifecycle/deadlines.ts";
import type { StatusChange } from "./store/lifecycle/transition.ts";

/** Applies deadlines to sessions, for the reconciler. Each method returns the number of sessions that it changed. */
export class Deadlines {
  readonly #core: Pick<Core, "clock" | "settings">;
  readonly #store: DeadlineStore;
  readonly #publisher: ChangePublisher;

  constructor(
    core: Pick<Core, "clock" | "settings">,
    store: DeadlineStore,
    publisher: ChangePublisher,
  ) {
    this.#core = core;
    this.#store = store;
    this.#publisher = publisher;
  }

  expireLeases(): Promise<number> {
    const maxAttempts = this.#core.settings.max_start_attempts;
    const limits = { maxAttempts, leaseMs: this.#leaseMs };
    return this.#publish(this.#store.expireLeases(this.#now, limits));
  }

  failOverdue(): Promise<number> {
    return this.#publish(this.#store.failOverdue(this.#now));
  }

  failSlowStarts(): Promise<number> {
    return this.#publish(this.#store.failSlowStarts(this.#now));
  }

  endAbandoned(): Promise<number> {
    return this.#publish(this.#store.endAbandoned(this.#now));
  }

  endDrained(): Promise<number> {
    return this.#publish(this.#store.endDrained(this.#now));
  }

  expireLifetimes(): Promise<number> {
    return this.#publish(this.#store.expireLifetimes(this.#now));
  }

  async markIdle(): Promise<number> {
    const changes = await this.#store.markIdle(this.#now);
    this.#publisher.publishActivity("session_idle", changes);
    return changes.length;
  }

  timeOutIdle(): Promise<number> {
    return this.#publish(this.#store.timeOutIdle(this.#now));
  }

  enforceStops(): Promise<number> {
    const since = this.#now - this.#leaseMs;
    return this.#publish(this.#store.enforceStops(since, this.#now));
  }

  /** Deletes sessions that ended before the retention time, and expired idempotency keys. */
  prune(): Promise<number> {
    const { retention_hours } = this.#core.settings;
    return this.#store.prune({
      ended: this.#now - retention_hours * 3_600_000,
      keys: this.#now - IDEMPOTENCY_TTL_MS,
    });
  }

  get #now(): number {
    return this.#core.clock.now();
  }

  get #leaseMs(): number {
    return this.#core.settings.lease_seconds * 1_000;
  }

  async #publish(pending: Promise<readonly StatusChange[]>): Promise<number> {
    const changes = await pending;
    this.#publisher.publishDue(changes);
    return changes.length;
  }
}
