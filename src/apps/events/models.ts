import type { ResultSet } from "@libsql/client";
import { isNotNull, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Statement } from "../../core/database.ts";

/**
 * Events of sessions, workers and work pools. `sequence` is commit order, because the database has one writer, and the
 * cursor of readers.
 *
 * The ids refer to rows that may be gone: an event outlives its subject. Each index costs every write: `sequence` is
 * the row id, which ends every index.
 */
export const events = sqliteTable("events", {
  sequence: integer().primaryKey({ autoIncrement: true }),
  type: text().notNull(),
  sessionId: text("session_id"),
  workPoolId: text("work_pool_id"),
  workerId: text("worker_id"),
  /** Owner of the session. A client reads only the events of its own sessions. */
  owner: text(),
  data: text({ mode: "json" }).notNull().$type<Record<string, unknown>>(),
  timestamp: integer().notNull(),
}, (table) => [
  index("events_session").on(table.sessionId).where(
    isNotNull(table.sessionId),
  ),
  index("events_owner").on(table.owner).where(isNotNull(table.owner)),
]);

/** Events to record, as SQL over the rows of `source`. */
export interface EventSource {
  readonly type: string | SQL;
  readonly sessionId?: SQL;
  readonly workPoolId?: SQL;
  readonly workerId?: SQL;
  readonly owner?: SQL;
  /** @default {{}} */
  readonly data?: Readonly<Record<string, unknown>> | SQL;
  readonly timestamp: number | SQL;
  /** SQL after FROM. Its order is the order of the events. */
  readonly source: SQL;
}

/**
 * Returns the statement that records an event for each row of a source. It belongs in the batch of the change that the
 * events tell of, under the same condition. No other function writes events.
 */
export function insertEvents(
  orm: LibSQLDatabase,
  { type, timestamp, source, data = {}, ...ids }: EventSource,
): Statement<ResultSet> {
  const none = sql`NULL`;
  const { sessionId = none, workPoolId = none, workerId = none, owner = none } =
    ids;
  return orm.run(sql`INSERT INTO ${events} (type, session_id, work_pool_id,
      worker_id, owner, data, timestamp)
    SELECT ${type}, ${sessionId}, ${workPoolId}, ${workerId}, ${owner},
      ${isSql(data) ? data : sql`${JSON.stringify(data)}`}, ${timestamp}
    FROM ${source}`);
}

function isSql(value: object): value is SQL {
  return "queryChunks" in value;
}
