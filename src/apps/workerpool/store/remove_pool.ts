import { and, eq, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import { nextTurn } from "../../../async/next_turn.ts";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { sessionMetrics, sessions } from "../../sessions/models.ts";
import { insertEvents } from "../../events/models.ts";
import { workers } from "../../workers/models.ts";
import { workPools } from "../models.ts";
import { insertPoolEvent } from "./insert_event.ts";

/** Maximum number of sessions, and of their rows in another table, that are deleted at once. */
const MAX_SESSIONS = 100;
const MAX_ROWS = 1_000;

/** The outcome of a removal. */
export type PoolRemoval = "removed" | "used" | "partial";

/** A pool to remove. */
interface RemovalValues {
  readonly id: string;
  /** 1 ignores workers that are not offline. */
  readonly force: 0 | 1;
  readonly now: number;
}

/**
 * Deletes a pool without live sessions, and its ended sessions. The outcome is `used` if it has live sessions, has
 * workers that are not offline, or does not exist.
 *
 * One round trip for up to 100 sessions. The sessions of a larger pool are deleted in steps of some milliseconds, between
 * which other work has its turn: the pool is inactive then, and the outcome is `partial` if `isLate` before the end.
 */
export async function removePool(
  db: Database,
  values: RemovalValues,
  isLate: () => boolean,
): Promise<PoolRemoval> {
  for (;;) {
    const { closed, removed } = await batchNamed(
      db.orm,
      removeStep(db, values),
    );
    if (removed.length > 0) return "removed";
    if (closed.rowsAffected === 0) return "used";
    if (isLate()) return "partial";
    await nextTurn();
  }
}

const removeStep = prepare(({ orm }, bind: Bind<RemovalValues>) => {
  const isUnused = hasNoUse(bind);
  const isPool = eq(workPools.id, bind("id"));
  const hasNoSession = sql`NOT EXISTS (SELECT 1
    FROM ${sessions} AS s INDEXED BY sessions_pool
    WHERE s.work_pool_id = ${bind("id")})`;
  return {
    // No session is added between two steps.
    closed: orm.update(workPools).set({
      status: "inactive",
      updatedAt: sql`${bind("now")}`,
    }).where(and(isPool, isUnused)),
    metrics: orm.run(deleteMetrics(bind)),
    sessions: orm.run(sql`DELETE FROM ${sessions}
      WHERE ${sessions.id} IN ${firstSessions(bind)} AND ${isUnused}
      AND NOT EXISTS (SELECT 1 FROM ${sessionMetrics} AS one
        WHERE one.session_id = ${sessions.id})`),
    ...insertRemovalEvents(orm, bind, and(isUnused, hasNoSession)),
    removed: orm.delete(workPools).where(and(isPool, isUnused, hasNoSession))
      .returning({ id: workPools.id }),
  };
});

/** Returns the statements that record the deletion of the pool and of its workers. */
function insertRemovalEvents(
  orm: LibSQLDatabase,
  bind: Bind<RemovalValues>,
  condition: SQL | undefined,
) {
  const now = bind("now");
  const isPool = eq(workPools.id, bind("id"));
  return {
    workers: insertEvents(orm, {
      type: "worker.deregistered",
      workPoolId: sql`${workers.workPoolId}`,
      workerId: sql`${workers.id}`,
      data: sql`json_object('name', ${workers.name},
        'reason', 'its work pool was deleted')`,
      timestamp: now,
      source: sql`${workers} WHERE ${eq(workers.workPoolId, bind("id"))}
        AND ${condition}`,
    }),
    pool: insertPoolEvent(orm, and(isPool, condition), {
      type: "pool.deleted",
      now,
    }),
  };
}

/** Returns the condition that a pool has no live session and, unless forced, no worker that is not offline. */
function hasNoUse(bind: Bind<RemovalValues>): SQL {
  const live = sql`SELECT 1 FROM ${sessions} AS s INDEXED BY sessions_pool
    WHERE s.work_pool_id = ${bind("id")}
    AND s.status IN ('pending', 'starting', 'running')`;
  const online = sql`SELECT 1 FROM ${workers} AS w
    WHERE w.work_pool_id = ${bind("id")} AND w.status <> 'offline'`;
  return sql`(NOT EXISTS (${live})
    AND (${bind("force")} OR NOT EXISTS (${online})))`;
}

function deleteMetrics(bind: Bind<RemovalValues>): SQL {
  return sql`DELETE FROM ${sessionMetrics} WHERE seq IN (SELECT one.seq
    FROM ${firstSessions(bind)} AS chosen CROSS JOIN ${sessionMetrics} AS one
    WHERE one.session_id = chosen.id LIMIT ${sql.raw(String(MAX_ROWS))})
    AND ${hasNoUse(bind)}`;
}

/** Selects the first sessions of the pool: the same ones in each statement of a step. */
function firstSessions(bind: Bind<RemovalValues>): SQL {
  return sql`(SELECT f.id FROM ${sessions} AS f INDEXED BY sessions_pool
    WHERE f.work_pool_id = ${bind("id")}
    LIMIT ${sql.raw(String(MAX_SESSIONS))})`;
}
