import { and, eq, gt, inArray, isNull, type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "../../../core/database.ts";
import { apiKeys } from "../../keys/models.ts";
import type { Pool } from "../../workerpool/manager.ts";
import { workPools } from "../../workerpool/models.ts";
import { workers } from "../models.ts";

/** A worker among those that keep a pool's browsers ready. */
export interface ShareRow {
  readonly pool: Pool;
  readonly capacity: number;
  /** Workers that share, this one included. */
  readonly sharers: number;
  /** How many of them have a smaller id. */
  readonly before: number;
  /** True if an active client key may use the pool; most sessions then belong to clients. */
  readonly isolated: boolean;
}

/** Makes the statement that reads a worker's share. No row: its pool keeps nothing ready, or it is no worker that could. */
export function shareStatement(
  { orm }: Database,
): (workerId: string, now: number) => Statement<ShareRow[]> {
  return (workerId, now) =>
    orm.select({
      pool: workPools,
      capacity: workers.capacity,
      sharers: countSharers(sql`1`),
      before: countSharers(sql`w.id < ${workers.id}`),
      isolated: hasClientKey(now),
    }).from(workers).innerJoin(
      workPools,
      eq(workPools.id, workers.workPoolId),
    ).where(and(
      eq(workers.id, workerId),
      gt(workPools.minReady, 0),
      eq(workPools.status, "active"),
      inArray(workers.status, ["online", "busy"]),
      isNull(workers.drainRequestedAt),
    ));
}

function countSharers(condition: SQL): SQL<number> {
  return sql<number>`(SELECT count(*) FROM ${workers} AS w
    WHERE w.work_pool_id = ${workPools.id}
    AND w.status IN ('online', 'busy') AND w.drain_requested_at IS NULL
    AND ${condition})`;
}

function hasClientKey(now: number): SQL<boolean> {
  return sql<boolean>`EXISTS (SELECT 1 FROM ${apiKeys} AS k
    WHERE k.role = 'client' AND k.revoked_at IS NULL
    AND coalesce(k.expires_at, 9e15) > ${now}
    AND coalesce(k.work_pool_id, ${workPools.id}) = ${workPools.id})`
    .mapWith(Boolean);
}
