import { every } from "../async/every.ts";
import type { EventManager } from "../apps/events/manager.ts";
import type { HandoverManager } from "../apps/handover/manager.ts";
import type { LiveManager } from "../apps/live/manager.ts";
import type { SessionManager } from "../apps/sessions/manager.ts";
import type { WebhookUpkeep } from "../apps/webhooks/app.ts";
import type { WorkerManager } from "../apps/workers/manager.ts";
import type { WorkPoolManager } from "../apps/workerpool/manager.ts";
import type { Core } from "../core/app.ts";
import type { MetricDeclaration } from "../core/metrics/declaration.ts";
import { createLogger } from "../core/log.ts";
import { ObservationWindow } from "./observation_window.ts";

const log = createLogger("reconciler", "reconciler");

/** Time between two passes. With jitter and the duration of a pass it stays under 5 s. */
const PERIOD_MS = 2_000;

/** Longest time until every gateway has reported its connected clients. */
const CLIENT_REPORT_MS = 10_000;

/** The managers whose records the reconciler changes. */
export interface ReconcilerManagers {
  readonly pools: Pick<WorkPoolManager, "finishDrains">;
  readonly sessions: Pick<SessionManager, "deadlines">;
  readonly workers: Pick<
    WorkerManager,
    "markLost" | "prune" | "rollUpMetrics"
  >;
  /** Absent if the app is not installed. */
  readonly events?: Pick<EventManager, "prune"> | undefined;
  /** Absent if the app is not installed. */
  readonly live?: Pick<LiveManager, "prune"> | undefined;
  /** Absent if the app is not installed. */
  readonly handovers?: Pick<HandoverManager, "resolveDue"> | undefined;
  /** Absent if the app is not installed. */
  readonly webhooks?: WebhookUpkeep | undefined;
}

/** The outcome of a pass. */
export interface PassResult {
  /** Number of rows that each concern changed. A concern that did not run is absent. */
  readonly counts: Readonly<Record<string, number>>;
  /** Errors by the name of the concern. */
  readonly failures: ReadonlyMap<string, unknown>;
}

/** The time for which this server has observed the grid, which limits what it may declare. */
export interface Observation {
  /** Returns the time since the last interruption. Called before each concern. */
  readonly observedMs: () => number;
  readonly leaseMs: number;
}

/** One kind of record that time changes. */
interface Concern {
  readonly name: string;
  /** Changes the records that are due and returns their number. */
  readonly runOnce: () => Promise<number>;
  /** Shortest observation after which a server may run it. */
  readonly minObservedMs: number;
}

const UNLIMITED: Observation = { observedMs: () => Infinity, leaseMs: 0 };

/**
 * Runs every concern once. Several processes may do so concurrently, because each concern is one guarded statement or
 * batch. A failing concern does not stop the others.
 *
 * Only a server that has observed the grid for a whole lease declares workers lost and sessions late: in that time
 * every live worker has renewed its leases and claimed the sessions that it has room for.
 */
export async function reconcileOnce(
  managers: ReconcilerManagers,
  { observedMs, leaseMs }: Observation = UNLIMITED,
): Promise<PassResult> {
  const counts: Record<string, number> = {};
  const failures = new Map<string, unknown>();
  for (const concern of listConcerns(managers, leaseMs)) {
    if (observedMs() < concern.minObservedMs) continue;
    try {
      counts[concern.name] = await concern.runOnce();
    } catch (error) {
      failures.set(concern.name, error);
    }
  }
  return { counts, failures };
}

/** Lists the concerns in the order in which they run. */
function listConcerns(
  {
    pools,
    sessions: { deadlines },
    workers,
    events,
    handovers,
    live,
    webhooks,
  }: ReconcilerManagers,
  leaseMs: number,
): readonly Concern[] {
  const runs: Readonly<Record<string, () => Promise<number>>> = {
    lostWorkers: () => workers.markLost(),
    expiredLeases: () => deadlines.expireLeases(),
    overdue: () => deadlines.failOverdue(),
    slowStarts: () => deadlines.failSlowStarts(),
    expired: () => deadlines.expireLifetimes(),
    quiet: () => deadlines.markIdle(),
    idle: () => deadlines.timeOutIdle(),
    enforced: () => deadlines.enforceStops(),
    abandoned: () => deadlines.endAbandoned(),
    drained: () => deadlines.endDrained(),
    drainedPools: () => pools.finishDrains(),
    sessionMetrics: () => deadlines.rollUpMetrics(),
    workerMetrics: () => workers.rollUpMetrics(),
    pruned: () => deadlines.prune(),
    prunedWorkers: () => workers.prune(),
    ...(handovers ? { handovers: () => handovers.resolveDue() } : {}),
    ...(events ? { prunedEvents: () => events.prune() } : {}),
    ...(live ? { prunedLinks: () => live.prune() } : {}),
    ...(webhooks
      ? {
        prunedDeliveries: () => webhooks.prune(),
        longQueues: () => webhooks.checkQueues(),
      }
      : {}),
  };
  const minimums: Readonly<Record<string, number>> = {
    abandoned: Math.min(leaseMs, CLIENT_REPORT_MS),
    drainedPools: 0,
    handovers: 0,
    longQueues: 0,
  };
  return Object.entries(runs).map(([name, runOnce]) => ({
    name,
    runOnce,
    minObservedMs: minimums[name] ?? leaseMs,
  }));
}

const LAG: MetricDeclaration = {
  name: "browsergrid_reconciler_lag_seconds",
  help:
    "Time since this server last completed a pass over all deadlines without a failure; about 2 s apart",
  labels: {},
  scope: "process",
};

/** Runs passes periodically until disposed. */
export function startReconciler(
  { clock, settings, metrics }: Pick<Core, "clock" | "settings" | "metrics">,
  managers: ReconcilerManagers,
): AsyncDisposable {
  let completedAt = clock.monotonic();
  metrics.add({
    type: "gauge",
    declaration: LAG,
    read: () => [{
      labels: [],
      value: (clock.monotonic() - completedAt) / 1_000,
    }],
  });
  const leaseMs = settings.lease_seconds * 1_000;
  const observation = new ObservationWindow(
    clock,
    (reason) =>
      log.warn(
        "No worker or session is declared late for {seconds} s: {reason}",
        { seconds: settings.lease_seconds, reason },
      ),
  );
  const failing = new Set<string>();
  return every(async () => {
    const result = await reconcileOnce(managers, {
      observedMs: () => observation.observedMs(),
      leaseMs,
    });
    // Without any answer from the database, workers may not have been able to report either.
    if (Object.keys(result.counts).length === 0) observation.reset();
    if (result.failures.size === 0) completedAt = clock.monotonic();
    logPass(result, failing);
  }, { clock, periodMs: PERIOD_MS, jitter: 0.5 });
}

/** Concerns that have something to do in every minute. */
const ROUTINE: ReadonlySet<string> = new Set([
  "sessionMetrics",
  "workerMetrics",
]);

/** Logs what a pass changed, and the first of consecutive failures of each concern. */
function logPass({ counts, failures }: PassResult, failing: Set<string>): void {
  for (const [concern, count] of Object.entries(counts)) {
    failing.delete(concern);
    if (count === 0) continue;
    const level = ROUTINE.has(concern) ? "debug" : "info";
    log[level]("Reconciled {count}: {concern}", { concern, count });
  }
  for (const [concern, error] of failures) {
    if (!failing.has(concern)) {
      log.warn("Reconciling {concern} failed: {error}", { concern, error });
    }
    failing.add(concern);
  }
}
