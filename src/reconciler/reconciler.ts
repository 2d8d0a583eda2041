import type { SessionManager } from "../apps/sessions/manager.ts";
import type { WorkPoolManager } from "../apps/workerpool/manager.ts";
import type { WorkerManager } from "../apps/workers/manager.ts";
import type { Core } from "../core/app.ts";
import { logOf } from "../core/log.ts";
import { every } from "../async/every.ts";
import { ObservationWindow } from "./observation_window.ts";

const log = logOf("reconciler", "reconciler");

/** Time between two passes: with jitter and the pass itself, under 5 s. */
const PERIOD_MS = 2_000;

/** Longest time until a gateway has said which clients are with it. */
const PRESENCE_MS = 10_000;

/** Whose state is made to agree with time. */
export interface ReconcilerManagers {
  readonly pools: Pick<WorkPoolManager, "finishDrains">;
  readonly sessions: Pick<SessionManager, "deadlines">;
  readonly workers: Pick<WorkerManager, "markLost" | "prune">;
}

/** What came of a pass. */
export interface PassResult {
  /** How many rows each concern has changed. */
  readonly counts: Readonly<Record<string, number>>;
  readonly failures: ReadonlyMap<string, unknown>;
}

/** What a server may declare by now. */
export interface Observation {
  /** How long it has watched without a break. */
  readonly observedMs: () => number;
  readonly leaseMs: number;
}

type Concern = readonly [
  name: string,
  runOnce: () => Promise<number>,
  minObservedMs: number,
];

/**
 * Runs every concern once. Safe in several processes at once: each is one guarded statement or batch. One that fails
 * keeps no other from its work.
 *
 * Others are declared late only by a server that has watched for a whole lease: in that time every worker that lives has
 * renewed what it holds, and taken what it can of the queue.
 *
 * @param watchedMs How long the server has watched without a break, asked before each concern.
 */
export async function reconcileOnce(
  managers: ReconcilerManagers,
  { observedMs, leaseMs }: Observation = UNLIMITED,
): Promise<PassResult> {
  const counts: Record<string, number> = {};
  const failures = new Map<string, unknown>();
  for (
    const [name, runOnce, minObservedMs] of listConcerns(managers, leaseMs)
  ) {
    if (observedMs() < minObservedMs) continue;
    try {
      counts[name] = await runOnce();
    } catch (error) {
      failures.set(name, error);
    }
  }
  return { counts, failures };
}

const UNLIMITED: Observation = { observedMs: () => Infinity, leaseMs: 0 };

/** What is looked after, and how long a server must have watched before it may. */
function listConcerns(
  { pools, sessions, workers }: ReconcilerManagers,
  leaseMs: number,
): readonly Concern[] {
  const { deadlines } = sessions;
  return [
    ["lostWorkers", workers.markLost, leaseMs],
    ["expiredLeases", deadlines.expireLeases, leaseMs],
    ["overdue", deadlines.failOverdue, leaseMs],
    ["slowStarts", deadlines.failSlowStarts, leaseMs],
    ["expired", deadlines.expireLifetimes, leaseMs],
    ["quiet", deadlines.fallIdle, leaseMs],
    ["idle", deadlines.timeOutIdle, leaseMs],
    ["enforced", deadlines.enforceStops, leaseMs],
    ["abandoned", deadlines.endAbandoned, Math.min(leaseMs, PRESENCE_MS)],
    ["drained", deadlines.endDrained, leaseMs],
    ["drainedPools", pools.finishDrains, 0],
    ["pruned", deadlines.prune, leaseMs],
    ["prunedWorkers", workers.prune, leaseMs],
  ];
}

/** Declares workers lost and sessions late, again and again, until disposed. */
export function startReconciler(
  { clock, settings }: Pick<Core, "clock" | "settings">,
  managers: ReconcilerManagers,
): AsyncDisposable {
  const observation = new ObservationWindow(
    clock,
    (reason) =>
      log.warn("Nobody is declared late for {seconds} s: {reason}", {
        seconds: settings.lease_seconds,
        reason,
      }),
  );
  const leaseMs = settings.lease_seconds * 1_000;
  const failing = new Set<string>();
  return every(async () => {
    const { counts, failures } = await reconcileOnce(managers, {
      observedMs: () => observation.observedMs(),
      leaseMs,
    });
    if (Object.keys(counts).length === 0) observation.reset();
    logPass(counts, failures, failing);
  }, { clock, periodMs: PERIOD_MS, jitter: 0.5 });
}

/** Logs what was done, and the first failure of a streak. */
function logPass(
  counts: PassResult["counts"],
  failures: PassResult["failures"],
  failing: Set<string>,
): void {
  for (const [concern, count] of Object.entries(counts)) {
    failing.delete(concern);
    if (count > 0) {
      log.info("Reconciled {count}: {concern}", { concern, count });
    }
  }
  for (const [concern, error] of failures) {
    if (!failing.has(concern)) {
      log.warn("Cannot reconcile {concern}: {error}", { concern, error });
    }
    failing.add(concern);
  }
}
