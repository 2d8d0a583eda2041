/**
 * The statements of a change of status.
 *
 * The event comes first and the change second, under the same condition and in one batch: every change has its event, and
 * no event is without a change.
 *
 * @module
 */
import type { ResultSet } from "@libsql/client";
import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Statement } from "../../../../core/database.ts";
import { sessionEvents, sessions } from "../../models.ts";
import type { SessionRow } from "../../session.ts";
import {
  isTerminal,
  type SessionEventName,
  type SessionStatus,
  STATUS_EVENTS,
} from "../../status.ts";

/** A session whose status has changed. */
export interface StatusChange {
  readonly id: string;
  readonly status: SessionStatus;
  readonly workPoolId: string;
  readonly workerId: string | null;
  /** 1 if the browser can be reached directly and by tunnel, and it is not known yet which works. */
  readonly isReachOpen?: 0 | 1;
}

/** Columns of a {@linkcode StatusChange}. */
export const statusChangeColumns = {
  id: sessions.id,
  status: sessions.status,
  workPoolId: sessions.workPoolId,
  workerId: sessions.workerId,
};

/** The statements of a change of status, to be run in this order. */
export interface Transition {
  readonly event: Statement<ResultSet>;
  readonly changed: Statement<StatusChange[]>;
}

/** Columns that change with the status. A value may be SQL over the old row. */
export type ColumnChanges = {
  readonly [K in keyof SessionRow]?: SessionRow[K] | SQL;
};

/** Returns the statement that records `event` for every session that meets `condition`. */
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

/**
 * Returns the statements that move every session that meets `condition` to `status`.
 *
 * @param status SQL over the old row must be a terminal status.
 */
export function transition(
  orm: LibSQLDatabase,
  status: SessionStatus | SQL,
  condition: SQL,
  now: number,
  changes: ColumnChanges = {},
): Transition {
  const data = toEventData(changes.statusReason);
  const isEnd = isSql(status) || isTerminal(status);
  return {
    event: insertEvent(orm, findEvent(status), condition, now, data),
    changed: orm.update(sessions).set({
      status,
      updatedAt: now,
      ...(isEnd ? { endedAt: now, leaseExpiresAt: null, idleSince: null } : {}),
      ...changes,
    }).where(condition).returning(statusChangeColumns),
  };
}

/** Returns the changes among the results of several transitions; the other results are those of events. */
export function collectChanges(
  results: readonly (ResultSet | StatusChange[])[],
): readonly StatusChange[] {
  return results.flatMap((result) => Array.isArray(result) ? result : []);
}

function toEventData(
  reason: ColumnChanges["statusReason"],
): Readonly<Record<string, unknown>> | SQL {
  if (reason === undefined || reason === null) return {};
  return isSql(reason) ? sql`json_object('reason', ${reason})` : { reason };
}

/** Returns the event of the change to `status`. */
function findEvent(status: SessionStatus | SQL): SessionEventName | SQL {
  return isSql(status)
    ? sql`json_extract(${JSON.stringify(STATUS_EVENTS)}, '$.' || ${status})`
    : STATUS_EVENTS[status];
}

function isSql(value: unknown): value is SQL {
  return typeof value === "object" && value !== null && "queryChunks" in value;
}
