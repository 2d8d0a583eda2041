import type { MetricRegistry } from "../../core/metrics/registry.ts";
import { isTerminal, SESSION_STATUSES } from "./status.ts";
import type { StatusChange } from "./store/lifecycle/transition.ts";

/** Rules that end sessions. */
export const END_CAUSES = [
  "worker_report",
  "request",
  "lease_lost",
  "queue_deadline",
  "start_deadline",
  "lifetime",
  "client_lost",
  "stop_overdue",
] as const;

/** The rule by which a session ended. */
export type EndCause = (typeof END_CAUSES)[number];

/** A wait of a session for its first claim. */
export interface QueueWait {
  readonly workPoolId: string;
  readonly waitedMs: number;
}

const POOL = { pool: "Name of the work pool" };

/** Bounds of waits and starts, in seconds. */
const START_BOUNDS = [
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
  120,
  300,
];

/** Bounds of the lives of sessions, in seconds. */
const LIFE_BOUNDS = [
  1,
  5,
  15,
  60,
  300,
  900,
  1_800,
  3_600,
  7_200,
  14_400,
  43_200,
  86_400,
];

/** Counts the changes of sessions that this server records. */
export class LifecycleMetrics {
  readonly #ended;
  readonly #leasesLost;
  readonly #waits;
  readonly #starts;
  readonly #lives;

  constructor(metrics: MetricRegistry) {
    const scope = "process";
    this.#ended = metrics.counter({
      name: "browsergrid_sessions_total",
      help: "Ended sessions",
      labels: {
        ...POOL,
        result: SESSION_STATUSES.filter(isTerminal).join(", "),
        reason: `The rule that ended it: ${END_CAUSES.join(", ")}`,
      },
      scope,
    });
    this.#leasesLost = metrics.counter({
      name: "browsergrid_lease_lost_total",
      help: "Leases of sessions that expired because no heartbeat renewed them",
      labels: POOL,
      scope,
    });
    this.#waits = metrics.histogram({
      name: "browsergrid_queue_wait_seconds",
      help: "Time from the creation of a session to its first claim",
      labels: POOL,
      scope,
    }, START_BOUNDS);
    this.#starts = metrics.histogram({
      name: "browsergrid_session_start_seconds",
      help: "Time from the claim of a session until its browser runs",
      labels: {
        ...POOL,
        provider: "Type of the provider",
        warm: "true if the session received a warm browser",
      },
      scope,
    }, START_BOUNDS);
    this.#lives = metrics.histogram({
      name: "browsergrid_session_duration_seconds",
      help: "Time for which an ended session has run",
      labels: POOL,
      scope,
    }, LIFE_BOUNDS);
  }

  /** Counts changes of status. */
  count(changes: readonly StatusChange[], cause: EndCause): void {
    for (const change of changes) {
      const { status, workPoolId, startedAt, endedAt } = change;
      if (isTerminal(status)) {
        this.#ended.of(workPoolId, status, cause).add();
        if (startedAt === null || endedAt === null) continue;
        this.#lives.of(workPoolId).observe((endedAt - startedAt) / 1_000);
      } else if (status === "running") this.#countStart(change);
    }
  }

  countLeasesLost(changes: readonly Pick<StatusChange, "workPoolId">[]): void {
    for (const { workPoolId } of changes) this.#leasesLost.of(workPoolId).add();
  }

  countWaits(waits: readonly QueueWait[]): void {
    for (const { workPoolId, waitedMs } of waits) {
      this.#waits.of(workPoolId).observe(waitedMs / 1_000);
    }
  }

  #countStart(
    { workPoolId, provider, warm, claimedAt, startedAt }: StatusChange,
  ): void {
    if (startedAt === null || typeof claimedAt !== "number") return;
    this.#starts.of(workPoolId, provider, String(Boolean(warm)))
      .observe((startedAt - claimedAt) / 1_000);
  }
}
