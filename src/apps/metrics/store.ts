import { getTableColumns, type SQL, sql } from "drizzle-orm";
import type { Database } from "../../core/database.ts";
import { batchNamed } from "../../db/batch_named.ts";
import { prepare } from "../../db/prepare.ts";
import { machines } from "../scaling/models.ts";
import { sessions } from "../sessions/models.ts";
import { webhookDeliveries, webhooks } from "../webhooks/models.ts";
import { workPools } from "../workerpool/models.ts";
import { workers } from "../workers/models.ts";
import { WORKER_STATUSES } from "../workers/status.ts";
import {
  type GridTotals,
  LIVE_STATUSES,
  MAX_DELIVERIES,
  MAX_SESSIONS,
  MAX_WORKERS,
} from "./pool_totals.ts";

/** Reads what all servers count alike, in one round trip. */
export async function readGridTotals(db: Database): Promise<GridTotals> {
  const { totals, waiting } = await batchNamed(db.orm, selectTotals(db, {}));
  return {
    pools: totals.map(({ sessions, workers, machines, ...row }) => ({
      ...row,
      machines: JSON.parse(machines),
      sessions: JSON.parse(sessions),
      workers: JSON.parse(workers),
    })),
    waitingDeliveries: waiting[0]?.count ?? 0,
  };
}

const selectTotals = prepare(({ orm }) => ({
  totals: orm.select({
    id: workPools.id,
    name: workPools.name,
    pool: getTableColumns(workPools),
    machines: countMachines(),
    sessions: toJson(LIVE_STATUSES, countSessions),
    workers: toJson(WORKER_STATUSES, addWorkers),
    // Ids are in the order of creation.
    oldestPendingAt: sql<number | null>`(SELECT s.created_at
      FROM ${sessions} AS s INDEXED BY sessions_pool
      WHERE s.work_pool_id = ${workPools}.id AND s.status = 'pending'
      ORDER BY s.id LIMIT 1)`,
  }).from(workPools).orderBy(workPools.id),
  waiting: orm.all<{ readonly count: number }>(sql`SELECT count(*) AS count
    FROM (SELECT 1 FROM ${webhooks} AS hook
      CROSS JOIN ${webhookDeliveries} AS d ON d.webhook_id = hook.id
      WHERE d.ended_at IS NULL LIMIT ${sql.raw(String(MAX_DELIVERIES))})`),
}));

/** Returns SQL for an object with a value for each status. */
function toJson(
  statuses: readonly string[],
  select: (status: SQL) => SQL,
): SQL<string> {
  const members = statuses.map((status) => {
    const text = sql.raw(`'${status}'`);
    return sql`${text}, ${select(text)}`;
  });
  return sql<string>`json_object(${sql.join(members, sql`, `)})`;
}

function countSessions(status: SQL): SQL {
  return sql`(SELECT count(*) FROM (SELECT 1
    FROM ${sessions} AS s INDEXED BY sessions_pool
    WHERE s.work_pool_id = ${workPools}.id AND s.status = ${status}
    LIMIT ${sql.raw(String(MAX_SESSIONS))}))`;
}

function countMachines(): SQL<string> {
  return sql<string>`(SELECT json_group_object(status, count) FROM (
    SELECT m.status, count(*) AS count
    FROM ${machines} AS m INDEXED BY machines_pool
    WHERE m.pool_id = ${workPools.id} GROUP BY m.status) AS one)`;
}

function addWorkers(status: SQL): SQL {
  return sql`(SELECT json_object('count', count(*),
      'capacity', coalesce(sum(capacity), 0), 'ready', coalesce(sum(ready), 0),
      'oldestHeartbeatAt', min(last_heartbeat))
    FROM (SELECT w.capacity, w.ready, w.last_heartbeat
      FROM ${workers} AS w INDEXED BY workers_pool
      WHERE w.work_pool_id = ${workPools}.id AND w.status = ${status}
      LIMIT ${sql.raw(String(MAX_WORKERS))}))`;
}
