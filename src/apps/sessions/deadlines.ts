import type { Core } from "../../core/app.ts";
import { IDEMPOTENCY_TTL_MS } from "./idempotency.ts";
import { publishActivity } from "./activity.ts";
import type { DeadlineStore } from "./store/deadlines.ts";
import type { StatusChange } from "./store/transition.ts";

/** What time does to sessions, for the reconciler. Each returns how many it changed. */
export type Deadlines = Readonly<
  Record<keyof DeadlineStore, () => Promise<number>>
>;

/** @param announce Told of what has changed. */
export function createDeadlines(
  core: Pick<Core, "bus" | "clock" | "settings">,
  store: DeadlineStore,
  announce: (changed: readonly StatusChange[]) => void,
): Deadlines {
  const { clock, settings } = core;
  const leaseMs = settings.lease_seconds * 1_000;
  const maxAttempts = settings.max_start_attempts;

  async function run(
    change: Promise<readonly StatusChange[]>,
  ): Promise<number> {
    const changed = await change;
    announce(changed);
    return changed.length;
  }

  return {
    expireLeases: () =>
      run(store.expireLeases(clock.now(), { maxAttempts, leaseMs })),
    failOverdue: () => run(store.failOverdue(clock.now())),
    failSlowStarts: () => run(store.failSlowStarts(clock.now())),
    endAbandoned: () => run(store.endAbandoned(clock.now())),
    endDrained: () => run(store.endDrained(clock.now())),
    expireLifetimes: () => run(store.expireLifetimes(clock.now())),
    fallIdle: async () => {
      const changed = await store.fallIdle(clock.now());
      publishActivity(core, "session_idle", changed);
      return changed.length;
    },
    timeOutIdle: () => run(store.timeOutIdle(clock.now())),
    enforceStops: () =>
      run(store.enforceStops(clock.now() - leaseMs, clock.now())),
    prune: () => {
      const now = clock.now();
      const ended = now - settings.retention_hours * 3_600_000;
      return store.prune({ ended, keys: now - IDEMPOTENCY_TTL_MS });
    },
  };
}
