/**
 * The statements of a change of status.
 *
 * Event first, change second, both under the same condition and in one batch: a change has its event, and without a
 * change there is none.
 *
 * @module
 */
import type { ResultSet } from "@libsql/client";
import { getTableColumns, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Statement } from "../../../core/database.ts";
import { sessionEvents, sessions } from "../models.ts";
import { type SessionEventName, STATUS_EVENTS } from "../status.ts";
import { isTerminal, type SessionStatus } from "../status.ts";
import type { Session, SessionRow } from "../session.ts";

/** Columns of a session that may be shown; the secret ones are cut down in the database. */
export const publicColumns = (() => {
  const { proxy, environment, endpoint: _, logs: __, ...shown } =
    getTableColumns(sessions);
  return {
    ...shown,
    publicProxy: sql<
      Session["publicProxy"]
    >`json_remove(${proxy}, '$.proxy_password')`.mapWith(JSON.parse),
    environmentNames: sql<
      string[]
    >`(SELECT json_group_array(key) FROM json_each(${environment}))`.mapWith(
      JSON.parse,
    ),
  };
})();

/** What else changes with the status. Values may be SQL over the old row. */
export type ColumnChanges = {
  readonly [K in keyof SessionRow]?: SessionRow[K] | SQL;
};

/** A statement that records `event` for every session that meets `condition`. */
export function insertEvent(
  orm: LibSQLDatabase,
  event: SessionEventName | SQL,
  condition: SQL,
  now: number,
  data: Readonly<Record<string, unknown>> | SQL = {},
): Statement<ResultSet> {
  const value = isSql(data) ? data : sql`${JSON.stringify(data)}`;
  return orm.run(sql`INSERT INTO ${sessionEvents}
    (session_id, event, data, timestamp)
    SELECT ${sessions.id}, ${event}, ${value}, ${now} FROM ${sessions}
    WHERE ${condition} ORDER BY ${sessions.id}`);
}

/** The two statements that move every session that meets `condition` to `status`: over the old row in SQL, always a terminal one. */
export function transition(
  orm: LibSQLDatabase,
  status: SessionStatus | SQL,
  condition: SQL,
  now: number,
  changes: ColumnChanges = {},
): readonly [Statement<ResultSet>, Statement<StatusChange[]>] {
  const reason = changes.statusReason;
  const data = reason === undefined || reason === null
    ? {}
    : isSql(reason)
    ? sql`json_object('reason', ${reason})`
    : { reason };
  return [
    insertEvent(orm, findEvent(status), condition, now, data),
    orm.update(sessions).set({
      status,
      updatedAt: now,
      ...(isSql(status) || isTerminal(status)
        ? { endedAt: now, leaseExpiresAt: null, idleSince: null }
        : {}),
      ...changes,
    }).where(condition).returning({
      id: sessions.id,
      status: sessions.status,
      workPoolId: sessions.workPoolId,
      workerId: sessions.workerId,
    }),
  ];
}

/** A session whose status has changed: what subscribers are told. */
export interface StatusChange {
  readonly id: string;
  readonly status: SessionStatus;
  readonly workPoolId: string;
  readonly workerId: string | null;
  /** 1: there are two ways to its browser, and it is not known which to take. */
  readonly isReachOpen?: 0 | 1;
}

/** Results of a batch that are rows of changes; the others belong to events. */
export function collectChanges(
  results: readonly unknown[],
): readonly StatusChange[] {
  return results.filter((result) => Array.isArray(result)).flat();
}

/** The event that arrival in `status` is. */
function findEvent(status: SessionStatus | SQL): SessionEventName | SQL {
  return isSql(status)
    ? sql`json_extract(${JSON.stringify(STATUS_EVENTS)}, '$.' || ${status})`
    : STATUS_EVENTS[status];
}

function isSql(value: unknown): value is SQL {
  return typeof value === "object" && value !== null && "queryChunks" in value;
}
