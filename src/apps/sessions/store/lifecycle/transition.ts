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
import { insertEvents } from "../../../events/models.ts";
import { type SessionEventName, toEventType } from "../../event_types.ts";
import { sessions } from "../../models.ts";
import type { SessionRow } from "../../session.ts";
import { isTerminal, type SessionStatus, STATUS_EVENTS } from "../../status.ts";

/** A session whose status has changed. */
export interface StatusChange {
  readonly id: string;
  readonly status: SessionStatus;
  readonly workPoolId: string;
  readonly workerId: string | null;
  readonly provider: string;
  readonly warm: boolean | 0 | 1;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly createdAt: number;
  readonly statusReason: string | null;
  readonly traceparent: string | null;
  /** Time of the last claim; only of a session that a worker's report has changed. */
  readonly claimedAt?: number | null;
  /** 1 if the browser can be reached directly and by tunnel, and it is not known yet which works. */
  readonly isReachOpen?: 0 | 1;
}

/** Columns of a {@linkcode StatusChange}. */
export const statusChangeColumns = {
  id: sessions.id,
  status: sessions.status,
  workPoolId: sessions.workPoolId,
  workerId: sessions.workerId,
  provider: sessions.provider,
  warm: sessions.warm,
  startedAt: sessions.startedAt,
  endedAt: sessions.endedAt,
  createdAt: sessions.createdAt,
  statusReason: sessions.statusReason,
  traceparent: sessions.traceparent,
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

/**
 * Returns the statement that records `event` for every session that meets `condition`.
 *
 * @param event SQL stands for the type of the event.
 */
export function insertEvent(
  orm: LibSQLDatabase,
  event: SessionEventName | SQL,
  condition: SQL,
  now: number | SQL,
  data: Readonly<Record<string, unknown>> | SQL = {},
): Statement<ResultSet> {
  return insertEvents(orm, {
    ...sessionOfEvent,
    type: isSql(event) ? event : toEventType(event),
    data,
    timestamp: now,
    source: sql`${sessions} WHERE ${condition} ORDER BY ${sessions.id}`,
  });
}

/** Columns of an event by which it is found, of its session. */
export const sessionOfEvent = {
  sessionId: sql`${sessions.id}`,
  workPoolId: sql`${sessions.workPoolId}`,
  workerId: sql`${sessions.workerId}`,
  owner: sql`${sessions.owner}`,
};

/**
 * Returns the statements that move every session that meets `condition` to `status`.
 *
 * @param status SQL over the old row must be a terminal status.
 */
export function transition(
  orm: LibSQLDatabase,
  status: SessionStatus | SQL,
  condition: SQL,
  now: number | SQL,
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

/** Returns the event of the change to `status`; for SQL, SQL for its type. */
function findEvent(status: SessionStatus | SQL): SessionEventName | SQL {
  return isSql(status) ? selectEventType(status) : STATUS_EVENTS[status];
}

/** Returns SQL for the type of the event of the change to `status`. */
export function selectEventType(status: SQL): SQL {
  return sql`json_extract(${STATUS_EVENT_TYPES}, '$.' || ${status})`;
}

/** JSON object with the types of the events of changes to each status. */
const STATUS_EVENT_TYPES = JSON.stringify(
  Object.fromEntries(
    Object.entries(STATUS_EVENTS).map(([status, event]) => [
      status,
      toEventType(event),
    ]),
  ),
);

function isSql(value: unknown): value is SQL {
  return typeof value === "object" && value !== null && "queryChunks" in value;
}
