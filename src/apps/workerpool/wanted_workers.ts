import type { Pool } from "./pool.ts";

/** Maximum number of workers of a pool without `max_workers` that are requested. */
export const MAX_UNLIMITED_WORKERS = 100;

/** The values that decide how many workers a pool needs. */
export interface WorkerDemand {
  readonly pool: Pick<
    Pool,
    "status" | "minReady" | "maxSessions" | "minWorkers" | "maxWorkers"
  >;
  /** Number of sessions that wait. */
  readonly pending: number;
  /** Number of sessions that start or run. */
  readonly held: number;
  /** Number of sessions that one worker may hold; at least 1. */
  readonly capacity: number;
}

/** The numbers of workers that a pool may have. */
export interface WorkerLimits {
  readonly min: number;
  readonly max: number;
}

/**
 * Counts the browsers that a pool needs: its sessions and warm browsers, within its `max_sessions`. Only an active pool
 * needs workers for sessions that wait and for warm browsers.
 */
export function countDemand(
  { pool, pending, held }: Omit<WorkerDemand, "capacity">,
): number {
  if (pool.status !== "active") return held;
  const { maxSessions, minReady } = pool;
  // More may be held than a limit that was lowered.
  return Math.max(
    held,
    Math.min(pending + held + minReady, maxSessions ?? Infinity),
  );
}

/** Returns the limits of the number of a pool's workers. A pool that is not active needs no minimum. */
export function resolveWorkerLimits(
  { status, minWorkers, maxWorkers }: WorkerDemand["pool"],
): WorkerLimits {
  const max = maxWorkers ?? Math.max(MAX_UNLIMITED_WORKERS, minWorkers);
  return { min: status === "active" ? Math.min(minWorkers, max) : 0, max };
}

/** Counts the workers that a pool needs: as many as hold its demand, within its limits. */
export function countWantedWorkers(demand: WorkerDemand): number {
  const { min, max } = resolveWorkerLimits(demand.pool);
  const needed = Math.ceil(countDemand(demand) / Math.max(1, demand.capacity));
  return Math.min(Math.max(needed, min), max);
}
