import type { ResultSet } from "@libsql/client";
import { type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Database, Statement } from "../../../core/database.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import {
  bindCaller,
  type CallerValues,
  toCallerValues,
  type WorkerCaller,
} from "../../../http/auth/worker_caller.ts";
import { workers } from "../models.ts";
import type { HeartbeatBody } from "../schemas/service.ts";
import type { WorkerStatus } from "../status.ts";
import { holdsNothing, isProven } from "./conditions.ts";
import { insertWorkerEvent } from "./insert_event.ts";
import { insertMetrics } from "./metrics.ts";

/** The values that a heartbeat returns of its worker. */
export interface HeartbeatRow {
  readonly status: WorkerStatus;
  readonly drainDeadlineAt: number | null;
}

/** A heartbeat of a worker. */
export interface Heartbeat {
  readonly id: string;
  readonly body: Omit<HeartbeatBody, "sessions">;
  readonly caller: WorkerCaller;
  readonly now: number;
}

/**
 * Creates the statements that record a heartbeat, to be run before the worker's reports in one batch. No row if the
 * caller is not the worker's current process.
 */
export function buildHeartbeat(
  db: Database,
  { id, body: { status = "online", ...body }, caller, now }: Heartbeat,
): HeartbeatStatements {
  const { event, metrics, recorded } = heartbeatStatements(db, {
    id,
    now,
    status,
    body: JSON.stringify({ ...body, sessions: undefined }),
    ...toCallerValues(caller),
  });
  const before = body.metrics ? [event, metrics] : [event];
  return { before, first: recorded };
}

/** The event of a change of status with the host's measurements, and the change, to be run in this order. */
export interface HeartbeatStatements {
  readonly before: readonly Statement<ResultSet>[];
  readonly first: Statement<HeartbeatRow[]>;
}

/** The values of a heartbeat's statement. */
interface HeartbeatValues extends CallerValues {
  readonly id: string;
  readonly now: number;
  readonly status: string;
  /** JSON object. */
  readonly body: string;
}

const heartbeatStatements = prepare(
  ({ orm }, bind: Bind<HeartbeatValues>) => {
    const now = bind("now");
    const status = bind("status");
    // A heartbeat sent before the drain command arrived must not make the worker online again. A drained worker that
    // holds no session and has not left by its deadline counts as offline.
    const isOverdue = sql`${workers.drainDeadlineAt} < ${now}
      AND ${holdsNothing(workers.id)}`;
    const next = sql<WorkerStatus>`CASE
      WHEN ${status} = 'offline' OR ${workers.drainRequestedAt} IS NULL
        THEN ${status}
      WHEN ${isOverdue} THEN 'offline' ELSE 'draining' END`;
    const reported = (name: keyof HeartbeatBody, column: SQLiteColumn) =>
      findMember(bind("body"), name, column);
    const isCaller = isProven(bind("id"), bindCaller(bind));
    const problem = sql`${bind("body")} ->> '$.provider_details.problem'`;
    return {
      event: insertWorkerEvent(
        orm,
        // A worker without a problem is failed only until it has adopted the browsers of its last process.
        sql`${isCaller} AND ${toPhase(next)} <> ${toPhase(workers.status)}
          AND (${next} <> 'failed' OR ${problem} IS NOT NULL)`,
        {
          type: sql`CASE WHEN ${next} <> 'offline'
              THEN 'worker.' || ${toPhase(next)}
            WHEN ${workers.status} = 'draining' THEN 'worker.drained'
            ELSE 'worker.offline' END`,
          now,
          reason: sql`CASE ${next} WHEN 'offline' THEN 'it left'
            WHEN 'failed' THEN ${problem} END`,
        },
      ),
      metrics: insertMetrics(orm, {
        body: bind("body"),
        now,
        condition: isCaller ?? sql`0`,
      }),
      recorded: orm.update(workers).set({
        status: next,
        lastHeartbeat: now,
        updatedAt: now,
        currentLoad: reported("current_load", workers.currentLoad),
        ready: reported("ready", workers.ready),
        cpuPercent: reported("cpu_percent", workers.cpuPercent),
        memoryUsageMb: reported("memory_usage_mb", workers.memoryUsageMb),
        diskUsageMb: reported("disk_usage_mb", workers.diskUsageMb),
        providerDetails: reported("provider_details", workers.providerDetails),
      }).where(isCaller).returning({
        status: workers.status,
        drainDeadlineAt: workers.drainDeadlineAt,
      }),
    };
  },
);

/** Returns SQL for a status without the load: a busy worker is online. */
function toPhase(status: SQL | typeof workers.status): SQL {
  return sql`iif(${status} = 'busy', 'online', ${status})`;
}

/** Returns SQL for a member of the JSON object, and for the column's value if there is no such member. */
function findMember(
  body: SQL,
  name: keyof HeartbeatBody,
  column: SQLiteColumn,
): SQL {
  const path = `$.${name}`;
  // The type of a member that is null is not NULL.
  return sql`iif(json_type(${body}, ${path}) IS NULL, ${column}, ${body} ->> ${path})`;
}
