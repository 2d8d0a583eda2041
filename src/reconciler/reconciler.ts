import type { SessionManager } from "../apps/sessions/manager.ts";
import type { WorkPoolManager } from "../apps/workerpool/manager.ts";
import type { WorkerManager } from "../apps/workers/manager.ts";
import type { Core } from "../core/app.ts";
import { logOf } from "../core/log.ts";
import { every } from "../core/loop.ts";
import { Continuity } from "./continuity.ts";

const log = logOf("reconciler", "reconciler");

/** Time between two passes: with jitter and the pass itself, under 5 s. */
const PERIOD_MS = 2_000;

/** Longest time until a gateway has said which clients are with it. */
const PRESENCE_MS = 10_000;

/** Whose state is made to agree with time. */
export interface ReconcilerManagers {
  readonly pools: Pick<WorkPoolManager, "finishDrains">;
  readonly sessions: Pick<SessionManager, "late">;
  readonly workers: Pick<WorkerManager, "markLost" | "prune">;
}

/** How many rows each concern has changed. */
export type Counts = Readonly<Record<string, number>>;

/** What a server may declare by now. */
export interface Watch {
  /** How long it has watched without a break. */
  readonly watchedMs: number;
  readonly leaseMs: number;
}

type Concern = readonly [name: string, runOnce: () => Promise<number>];

/**
 * Runs every concern once. Safe in several processes at once: each is one guarded statement or batch.
 *
 * Others are declared late only by a server that has watched for a whole lease: in that time every worker that lives has
 * renewed what it holds, and taken what it can of the queue.
 */
export async function reconcileOnce(
  managers: ReconcilerManagers,
  { watchedMs, leaseMs }: Watch = { watchedMs: Infinity, leaseMs: 0 },
): Promise<Counts> {
  const concerns = [
    ...(watchedMs >= leaseMs ? lateness(managers) : []),
    ...(watchedMs >= Math.min(leaseMs, PRESENCE_MS)
      ? [["abandoned", managers.sessions.late.endAbandoned] as Concern]
      : []),
    ...order(managers),
  ];
  const counts: Record<string, number> = {};
  for (const [name, runOnce] of concerns) counts[name] = await runOnce();
  return counts;
}

/** What depends on others having had their chance. */
function lateness({ sessions, workers }: ReconcilerManagers): Concern[] {
  const { late } = sessions;
  return [
    ["lostWorkers", workers.markLost],
    ["expiredLeases", late.expireLeases],
    ["overdue", late.failOverdue],
    ["slowStarts", late.failSlowStarts],
    ["expired", late.expireLifetimes],
    ["idle", late.timeOutIdle],
    ["enforced", late.enforceStops],
  ];
}

/** What does not. */
function order({ pools, sessions, workers }: ReconcilerManagers): Concern[] {
  return [
    ["drained", sessions.late.endDrained],
    ["drainedPools", pools.finishDrains],
    ["pruned", sessions.late.prune],
    ["prunedWorkers", workers.prune],
  ];
}

/** Declares workers lost and sessions late, again and again, until disposed. */
export function startReconciler(
  { clock, settings }: Pick<Core, "clock" | "settings">,
  managers: ReconcilerManagers,
): AsyncDisposable {
  const continuity = new Continuity(clock);
  const leaseMs = settings.lease_seconds * 1_000;
  return every(async () => {
    const reason = continuity.breakBefore();
    if (reason) {
      log.debug("Nobody is declared late for {seconds} s: {reason}", {
        seconds: settings.lease_seconds,
        reason,
      });
    }
    const watchedMs = continuity.watchedMs();
    const counts = await reconcileOnce(managers, { watchedMs, leaseMs });
    continuity.passed();
    for (const [concern, count] of Object.entries(counts)) {
      if (count > 0) {
        log.info("Reconciled {count}: {concern}", { concern, count });
      }
    }
  }, {
    clock,
    periodMs: PERIOD_MS,
    retryMs: PERIOD_MS,
    jitter: 0.5,
    onFailure: (error) => log.warn("Cannot reconcile: {error}", { error }),
  });
}
