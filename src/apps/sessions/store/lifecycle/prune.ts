import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import { batchNamed } from "../../../../db/batch_named.ts";
import {
  idempotencyKeys,
  sessionEvents,
  sessionMetrics,
  sessions,
} from "../../models.ts";

/** Maximum number of sessions that are deleted at once. */
const MAX_SESSIONS = 200;

/** Maximum number of rows of another table that are deleted at once: a long session has tens of thousands, and a delete blocks every write. */
const MAX_ROWS = 5_000;

/** Times before which rows are deleted. */
export interface PruneLimits {
  /** Sessions that ended before this time. */
  readonly ended: number;
  /** Idempotency keys that were used before this time. */
  readonly keys: number;
}

/**
 * Deletes old sessions, oldest first, and old idempotency keys. A session that a repeated request must find is kept as
 * long as its key. Returns the number of deleted sessions; the rest is left to the next calls.
 *
 * Two round trips: the search for sessions may take long, and must not block writes. An ended session does not become
 * live between the two, and a key is created only with its session.
 */
export async function prune(
  orm: LibSQLDatabase,
  { ended, keys }: PruneLimits,
): Promise<number> {
  const oldest = await orm.all<{ readonly id: string }>(sql`SELECT old.id
    FROM ${sessions} AS old WHERE old.ended_at < ${ended}
    AND NOT EXISTS (SELECT 1 FROM ${idempotencyKeys} AS key
      WHERE key.session_id = old.id AND key.created_at > ${keys})
    ORDER BY old.ended_at LIMIT ${MAX_SESSIONS}`);
  const ids = JSON.stringify(oldest.map(({ id }) => id));
  const { pruned } = await batchNamed(orm, {
    keys: orm.run(sql`DELETE FROM ${idempotencyKeys} WHERE rowid IN (SELECT
      rowid FROM ${idempotencyKeys} WHERE created_at <= ${keys}
      LIMIT ${MAX_ROWS})`),
    metrics: orm.run(deleteRows(sessionMetrics, ids)),
    events: orm.run(deleteRows(sessionEvents, ids)),
    pruned: orm.run(sql`DELETE FROM ${sessions}
      WHERE ${sessions.id} IN (SELECT value FROM json_each(${ids}))
      AND ${hasNo(sessionMetrics)} AND ${hasNo(sessionEvents)}`),
  });
  return pruned.rowsAffected;
}

type Rows = typeof sessionMetrics | typeof sessionEvents;

/** Deletes the first rows of the sessions, in the sessions' order. */
function deleteRows(table: Rows, ids: string): SQL {
  return sql`DELETE FROM ${table} WHERE seq IN (SELECT one.seq
    FROM json_each(${ids}) AS old CROSS JOIN ${table} AS one
    WHERE one.session_id = old.value LIMIT ${MAX_ROWS})`;
}

function hasNo(table: Rows): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM ${table} AS one
    WHERE one.session_id = ${sessions.id})`;
}
