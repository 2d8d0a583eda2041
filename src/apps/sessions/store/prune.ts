import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import {
  idempotencyKeys,
  sessionEvents,
  sessionMetrics,
  sessions,
} from "../models.ts";

/** Most sessions that go at once. */
const MAX_SESSIONS = 200;

/** Most rows of another table that go at once: a long session has tens of thousands, and nobody writes meanwhile. */
const MAX_ROWS = 5_000;

/**
 * Deletes sessions that ended before `ended`, oldest first, and keys that are as old as `keys`. What a repeated request
 * must find is kept as long as its key. Returns how many sessions are gone; much is left to the next calls.
 *
 * Two round trips: what is kept for its key may be searched at length, but not while nobody can write. Nothing comes back
 * to life between the two, and keys are made with their sessions only.
 */
export async function prune(
  orm: LibSQLDatabase,
  { ended, keys }: { readonly ended: number; readonly keys: number },
): Promise<number> {
  const oldest = await orm.all<{ readonly id: string }>(sql`SELECT old.id
    FROM ${sessions} AS old WHERE old.ended_at < ${ended}
    AND NOT EXISTS (SELECT 1 FROM ${idempotencyKeys} AS key
      WHERE key.session_id = old.id AND key.created_at > ${keys})
    ORDER BY old.ended_at LIMIT ${MAX_SESSIONS}`);
  const ids = JSON.stringify(oldest.map(({ id }) => id));
  const [, , , { rowsAffected }] = await orm.batch([
    orm.run(sql`DELETE FROM ${idempotencyKeys} WHERE rowid IN (SELECT rowid
      FROM ${idempotencyKeys} WHERE created_at <= ${keys} LIMIT ${MAX_ROWS})`),
    orm.run(deleteRows(sessionMetrics, ids)),
    orm.run(deleteRows(sessionEvents, ids)),
    orm.run(sql`DELETE FROM ${sessions}
      WHERE ${sessions.id} IN (SELECT value FROM json_each(${ids}))
      AND ${hasNo(sessionMetrics)} AND ${hasNo(sessionEvents)}`),
  ]);
  return rowsAffected;
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
