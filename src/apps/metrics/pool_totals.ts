import type { Pool } from "../workerpool/manager.ts";
import type { MachineStatus } from "../workerpool/status.ts";
import type { WorkerStatus } from "../workers/status.ts";

/** Maximum number of sessions of one pool and status that are counted: a few milliseconds. */
export const MAX_SESSIONS = 100_000;

/** Maximum number of workers of one pool and status that are counted. */
export const MAX_WORKERS = 10_000;

/** Maximum number of waiting deliveries that are counted. */
export const MAX_DELIVERIES = 100_000;

/** Statuses of sessions that have not ended. */
export const LIVE_STATUSES = ["pending", "starting", "running"] as const;

/** Status of a session that has not ended. */
export type LiveStatus = (typeof LIVE_STATUSES)[number];

/** The workers of one pool and status. */
export interface WorkerTotals {
  readonly count: number;
  readonly capacity: number;
  readonly ready: number;
  /** Time of the oldest last heartbeat; null without workers. */
  readonly oldestHeartbeatAt: number | null;
}

/** A work pool with its sessions and workers. */
export interface PoolTotals {
  readonly id: string;
  readonly name: string;
  readonly sessions: Readonly<Record<LiveStatus, number>>;
  readonly workers: Readonly<Record<WorkerStatus, WorkerTotals>>;
  /** Machines by status; statuses without a machine are absent. */
  readonly machines: Readonly<Partial<Record<MachineStatus, number>>>;
  /** The stored pool, with encrypted secrets. */
  readonly pool: Pool;
  /** Creation of the session that waits longest; null without one. */
  readonly oldestPendingAt: number | null;
}

/** The totals of the grid. */
export interface GridTotals {
  readonly pools: readonly PoolTotals[];
  /** Number of webhook deliveries that have not ended. */
  readonly waitingDeliveries: number;
}
