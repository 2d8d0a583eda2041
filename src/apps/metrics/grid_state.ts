import type { Clock } from "../../async/clock.ts";
import type { Database } from "../../core/database.ts";
import type {
  MetricDeclaration,
  Sample,
} from "../../core/metrics/declaration.ts";
import type { MetricRegistry } from "../../core/metrics/registry.ts";
import type { WorkPoolManager } from "../workerpool/manager.ts";
import { MACHINE_STATUSES } from "../workerpool/status.ts";
import { WORKER_STATUSES, type WorkerStatus } from "../workers/status.ts";
import {
  LIVE_STATUSES,
  MAX_DELIVERIES,
  MAX_SESSIONS,
  MAX_WORKERS,
  type PoolTotals,
} from "./pool_totals.ts";

/** Statuses of workers that take sessions. */
const TAKING: readonly WorkerStatus[] = ["online", "busy"];

/** Statuses of workers that send heartbeats. */
const ALIVE: readonly WorkerStatus[] = [...TAKING, "draining", "failed"];

const POOL = { pool: "Name of the work pool" };

/** Parts of a {@linkcode GridState}. */
export interface GridStateParts {
  readonly db: Database;
  readonly clock: Pick<Clock, "now">;
  readonly metrics: MetricRegistry;
  readonly pools: Pick<WorkPoolManager, "countWantedWorkers">;
}

/** The metrics that are read from the database, which are the same on every server. */
export class GridState {
  readonly #parts: GridStateParts;
  /** Undefined if the last read failed. */
  #pools: readonly PoolTotals[] | undefined;
  #waitingDeliveries = 0;
  #readAt = 0;
  #names: ReadonlyMap<string, string> = new Map();
  /** Pools of which something was counted, and that the last read did not find. */
  #missing: ReadonlySet<string> = new Set();

  constructor(parts: GridStateParts) {
    this.#parts = parts;
    this.#declareSessions();
    this.#declareWorkers();
    this.#declareScaling();
    parts.metrics.add({
      type: "gauge",
      declaration: {
        name: "browsergrid_webhook_deliveries_waiting",
        help:
          `Deliveries of webhooks that have neither succeeded nor failed; at most ${MAX_DELIVERIES} are counted`,
        labels: {},
        scope: "grid",
      },
      read: () =>
        this.#pools ? [{ labels: [], value: this.#waitingDeliveries }] : [],
    });
    parts.metrics.add({
      type: "gauge",
      declaration: {
        name: "browsergrid_database_up",
        help:
          "1 if the database answered this scrape, otherwise 0; then all values that are read from it are missing",
        labels: {},
        scope: "process",
      },
      read: () => [{ labels: [], value: this.#pools ? 1 : 0 }],
    });
  }

  /** Reads the database. One round trip. @throws {GridError} `database_busy`, `database_unavailable`. */
  async refresh(): Promise<void> {
    const { db, clock, metrics } = this.#parts;
    this.#pools = undefined;
    const { readGridTotals } = await import("./store.ts");
    const { pools, waitingDeliveries } = await readGridTotals(db);
    this.#waitingDeliveries = waitingDeliveries;
    this.#readAt = clock.now();
    this.#pools = pools;
    this.#names = new Map(pools.map(({ id, name }) => [id, name]));
    const missing = new Set<string>();
    metrics.keepPools((id) => {
      if (this.#names.has(id)) return true;
      missing.add(id);
      // A pool that was created during the read is found by the next one.
      return !this.#missing.has(id);
    });
    this.#missing = missing;
  }

  /** Returns the name of a work pool, as last read. */
  poolName(id: string): string | undefined {
    return this.#names.get(id);
  }

  #declareSessions(): void {
    const most = `at most ${MAX_SESSIONS} are counted`;
    this.#gauge({
      name: "browsergrid_sessions",
      help: `Sessions that have not ended; ${most}`,
      labels: { ...POOL, status: LIVE_STATUSES.join(", ") },
    }, ({ id, sessions }) =>
      LIVE_STATUSES.map((status) => ({
        labels: [id, status],
        value: sessions[status],
      })));
    this.#gauge({
      name: "browsergrid_queue_length",
      help: `Sessions that wait for a worker; ${most}`,
      labels: POOL,
    }, ({ id, sessions: { pending } }) => [{ labels: [id], value: pending }]);
    this.#gauge({
      name: "browsergrid_queue_oldest_seconds",
      help:
        "Age of the oldest session that waits for a worker; 0 if none waits",
      labels: POOL,
    }, ({ id, oldestPendingAt }) => [{
      labels: [id],
      value: this.#age(oldestPendingAt),
    }]);
  }

  #declareWorkers(): void {
    this.#gauge({
      name: "browsergrid_workers",
      help:
        `Workers, with those that are offline until they are pruned; at most ${MAX_WORKERS} are counted`,
      labels: { ...POOL, status: WORKER_STATUSES.join(", ") },
    }, ({ id, workers }) =>
      WORKER_STATUSES.map((status) => ({
        labels: [id, status],
        value: workers[status].count,
      })));
    this.#gauge({
      name: "browsergrid_worker_capacity",
      help: "Sessions that the online and busy workers can hold at once",
      labels: POOL,
    }, ({ id, workers }) => [{
      labels: [id],
      value: add(TAKING.map((status) => workers[status].capacity)),
    }]);
    this.#gauge({
      name: "browsergrid_browsers_ready",
      help: "Warm browsers that online and busy workers keep ready",
      labels: POOL,
    }, ({ id, workers }) => [{
      labels: [id],
      value: add(TAKING.map((status) => workers[status].ready)),
    }]);
    this.#gauge({
      name: "browsergrid_worker_heartbeat_age_seconds",
      help:
        "Age of the oldest last heartbeat of the workers that are not offline; missing without such workers",
      labels: POOL,
    }, ({ id, workers }) => {
      const times = ALIVE.flatMap((status) =>
        workers[status].oldestHeartbeatAt ?? []
      );
      return times.length === 0
        ? []
        : [{ labels: [id], value: this.#age(Math.min(...times)) }];
    });
  }

  #declareScaling(): void {
    this.#gauge({
      name: "browsergrid_workers_wanted",
      help:
        "Workers that the sessions, the queue and min_ready of the pool need, from min_workers to max_workers",
      labels: POOL,
    }, (totals) => [{
      labels: [totals.id],
      value: this.#countWanted(totals),
    }]);
    this.#gauge({
      name: "browsergrid_machines",
      help: "Machines that the servers have requested for workers of the pool",
      labels: { ...POOL, status: MACHINE_STATUSES.join(", ") },
    }, ({ id, machines }) =>
      MACHINE_STATUSES.map((status) => ({
        labels: [id, status],
        value: machines[status] ?? 0,
      })));
  }

  #countWanted({ pool, sessions, workers }: PoolTotals): number {
    return this.#parts.pools.countWantedWorkers({
      pool,
      ...sessions,
      workersOnline: add(TAKING.map((status) => workers[status].count)),
      capacity: add(TAKING.map((status) => workers[status].capacity)),
    });
  }

  /** Adds a gauge with values for each pool. */
  #gauge(
    declaration: Omit<MetricDeclaration, "scope">,
    read: (pool: PoolTotals) => readonly Sample[],
  ): void {
    this.#parts.metrics.add({
      type: "gauge",
      declaration: { ...declaration, scope: "grid" },
      read: () => this.#pools?.flatMap(read) ?? [],
    });
  }

  /** Returns the seconds from a time to the last read; 0 for null and for times of a clock that was ahead. */
  #age(at: number | null): number {
    return at === null ? 0 : Math.max(0, this.#readAt - at) / 1_000;
  }
}

function add(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
