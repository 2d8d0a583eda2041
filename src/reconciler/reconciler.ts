import type { SessionManager } from "../apps/sessions/manager.ts";
import type { WorkerManager } from "../apps/workers/manager.ts";
import type { Core } from "../core/app.ts";
import { logOf } from "../core/log.ts";
import { every } from "../core/loop.ts";

const log = logOf("reconciler", "reconciler");

/** Time between two passes. */
const PERIOD_MS = 2_000;

/** Whose state is made to agree with time. */
export interface ReconcilerManagers {
  readonly sessions: Pick<SessionManager, "late">;
  readonly workers: Pick<WorkerManager, "markLost" | "prune">;
}

/** How many rows each concern has changed. */
export type Counts = Readonly<Record<string, number>>;

/** Runs every concern once. Safe in several processes at once: each is one guarded statement or batch. */
export async function reconcileOnce(
  { sessions, workers }: ReconcilerManagers,
): Promise<Counts> {
  const { late } = sessions;
  return {
    lostWorkers: await workers.markLost(),
    expiredLeases: await late.expireLeases(),
    overdue: await late.failOverdue(),
    expired: await late.expireLifetimes(),
    idle: await late.timeOutIdle(),
    enforced: await late.enforceStops(),
    pruned: await late.prune() + await workers.prune(),
  };
}

/** Declares workers lost and sessions late, again and again, until disposed. */
export function startReconciler(
  { clock }: Pick<Core, "clock">,
  managers: ReconcilerManagers,
): AsyncDisposable {
  return every(async () => {
    const counts = await reconcileOnce(managers);
    for (const [concern, count] of Object.entries(counts)) {
      if (count > 0) {
        log.info("Reconciled {count}: {concern}", { concern, count });
      }
    }
  }, {
    clock,
    periodMs: PERIOD_MS,
    jitter: 0.5,
    onFailure: (error) => log.warn("Cannot reconcile: {error}", { error }),
  });
}
