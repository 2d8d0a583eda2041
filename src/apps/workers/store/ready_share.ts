import { and, eq, gt, inArray, isNull, type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "../../../core/database.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { apiKeys } from "../../keys/models.ts";
import type { Pool } from "../../workerpool/manager.ts";
import { workPools } from "../../workerpool/models.ts";
import { workers } from "../models.ts";

/** The values that decide how many ready browsers a worker keeps for its pool. */
export interface ReadyShareRow {
  readonly pool: Pool;
  readonly capacity: number;
  /** Number of workers that share the pool's `min_ready`, including this one. */
  readonly sharers: number;
  /** Number of sharers with a smaller id. */
  readonly before: number;
  /** True if an active client key may use the pool; most sessions then belong to clients. */
  readonly isolated: boolean;
}

/**
 * Creates the statement that reads a worker's share of ready browsers. No row if its pool keeps none ready, or if the
 * worker takes no sessions.
 */
export function selectReadyShare(
  db: Database,
  workerId: string,
  now: number,
): Statement<ReadyShareRow[]> {
  return shareStatements(db, { workerId, now }).share;
}

const shareStatements = prepare((
  { orm },
  bind: Bind<{ readonly workerId: string; readonly now: number }>,
) => ({
  share: orm.select({
    pool: workPools,
    capacity: workers.capacity,
    sharers: countSharers(sql`1`),
    before: countSharers(sql`w.id < ${workers.id}`),
    isolated: hasClientKey(bind("now")),
  }).from(workers).innerJoin(
    workPools,
    eq(workPools.id, workers.workPoolId),
  ).where(and(
    eq(workers.id, bind("workerId")),
    gt(workPools.minReady, 0),
    eq(workPools.status, "active"),
    inArray(workers.status, ["online", "busy"]),
    isNull(workers.drainRequestedAt),
  )),
}));

function countSharers(condition: SQL): SQL<number> {
  return sql<number>`(SELECT count(*) FROM ${workers} AS w
    WHERE w.work_pool_id = ${workPools.id}
    AND w.status IN ('online', 'busy') AND w.drain_requested_at IS NULL
    AND ${condition})`;
}

function hasClientKey(now: SQL): SQL<boolean> {
  return sql<boolean>`EXISTS (SELECT 1 FROM ${apiKeys} AS k
    WHERE k.role = 'client' AND k.revoked_at IS NULL
    AND coalesce(k.expires_at, 9e15) > ${now}
    AND coalesce(k.work_pool_id, ${workPools.id}) = ${workPools.id})`
    .mapWith(Boolean);
}
