import type { Core } from "../../core/app.ts";
import { REMEMBERED_MS } from "./idempotency.ts";
import { publishUse } from "./activity.ts";
import type { LateStore } from "./store/deadlines.ts";
import type { Changed } from "./store/transition.ts";

/** What time does to sessions, for the reconciler. Each returns how many it changed. */
export type Lateness = Readonly<Record<keyof LateStore, () => Promise<number>>>;

/** @param announce Told of what has changed. */
export function createLateness(
  core: Pick<Core, "bus" | "clock" | "settings">,
  late: LateStore,
  announce: (changed: readonly Changed[]) => void,
): Lateness {
  const { clock, settings } = core;
  const leaseMs = settings.lease_seconds * 1_000;
  const maxAttempts = settings.max_start_attempts;

  async function run(change: Promise<readonly Changed[]>): Promise<number> {
    const changed = await change;
    announce(changed);
    return changed.length;
  }

  return {
    expireLeases: () =>
      run(late.expireLeases(clock.now(), { maxAttempts, leaseMs })),
    failOverdue: () => run(late.failOverdue(clock.now())),
    failSlowStarts: () => run(late.failSlowStarts(clock.now())),
    endAbandoned: () => run(late.endAbandoned(clock.now())),
    endDrained: () => run(late.endDrained(clock.now())),
    expireLifetimes: () => run(late.expireLifetimes(clock.now())),
    fallIdle: async () => {
      const changed = await late.fallIdle(clock.now());
      publishUse(core, "session_idle", changed);
      return changed.length;
    },
    timeOutIdle: () => run(late.timeOutIdle(clock.now())),
    enforceStops: () =>
      run(late.enforceStops(clock.now() - leaseMs, clock.now())),
    prune: () => {
      const now = clock.now();
      const ended = now - settings.retention_hours * 3_600_000;
      return late.prune({ ended, keys: now - REMEMBERED_MS });
    },
  };
}
