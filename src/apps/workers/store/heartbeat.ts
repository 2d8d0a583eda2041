import { sql } from "drizzle-orm";
import type { Database, Statement } from "../../../core/database.ts";
import type { WorkerCaller } from "../../../http/auth/worker_caller.ts";
import { workers } from "../models.ts";
import type { HeartbeatBody } from "../schemas/service.ts";
import type { WorkerStatus } from "../status.ts";
import { holdsNothing, isProven } from "./conditions.ts";

/** The values that a heartbeat returns of its worker. */
export interface HeartbeatRow {
  readonly status: WorkerStatus;
  readonly drainDeadlineAt: number | null;
}

/**
 * Creates the statement that records a heartbeat, to be run in one batch with the worker's reports. No row if the caller
 * is not the worker's current process.
 */
export function buildHeartbeat(
  { orm }: Database,
  { id, body, caller, now }: {
    readonly id: string;
    readonly body: HeartbeatBody;
    readonly caller: WorkerCaller;
    readonly now: number;
  },
): Statement<HeartbeatRow[]> {
  const { status = "online" } = body;
  // A heartbeat sent before the drain command arrived must not make the worker online again. A drained worker that
  // holds no session and has not left by its deadline counts as offline.
  const isOverdue = sql`${workers.drainDeadlineAt} < ${now}
    AND ${holdsNothing(workers.id)}`;
  const next = sql<WorkerStatus>`CASE
    WHEN ${status} = 'offline' OR ${workers.drainRequestedAt} IS NULL
      THEN ${status}
    WHEN ${isOverdue} THEN 'offline' ELSE 'draining' END`;
  // Undefined values are not written.
  return orm.update(workers).set({
    status: next,
    lastHeartbeat: now,
    updatedAt: now,
    currentLoad: body.current_load,
    ready: body.ready,
    cpuPercent: body.cpu_percent,
    memoryUsageMb: body.memory_usage_mb,
    diskUsageMb: body.disk_usage_mb,
    providerDetails: body.provider_details,
  }).where(isProven(id, caller)).returning({
    status: workers.status,
    drainDeadlineAt: workers.drainDeadlineAt,
  });
}
