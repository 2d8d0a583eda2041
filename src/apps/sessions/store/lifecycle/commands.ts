import { and, eq, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Statement } from "../../../../core/database.ts";
import {
  bindCaller,
  type CallerValues,
} from "../../../../http/auth/worker_caller.ts";
import type { Bind } from "../../../../db/prepare.ts";
import { hasStopCommand, sessionLogFollows, sessions } from "../../models.ts";
import type { StopCommand } from "../../schemas/leases.ts";
import { HELD_STATUSES, type SessionStatus } from "../../status.ts";
import { isProvenWorker } from "../conditions.ts";

/** Columns of a stop command. */
interface CommandRow {
  readonly id: string;
  readonly fencingToken: number;
  readonly stopStatus: SessionStatus | null;
  readonly stopReason: string | null;
  readonly stopForce: boolean;
}

/**
 * Returns the statement that reads the worker's stop commands.
 *
 * @param known JSON list of the sessions whose commands the worker has received.
 */
export function selectCommands(
  orm: LibSQLDatabase,
  workerId: SQL,
  known: SQL = sql`'[]'`,
): Statement<CommandRow[]> {
  return orm.select({
    id: sessions.id,
    fencingToken: sessions.fencingToken,
    stopStatus: sessions.stopStatus,
    stopReason: sessions.stopReason,
    stopForce: sessions.stopForce,
  }).from(sessions).where(and(
    eq(sessions.workerId, workerId),
    hasStopCommand(sessions),
    sql`${sessions.id} NOT IN (SELECT value FROM json_each(${known}))`,
  ));
}

/** A session whose output clients follow. */
export interface FollowedRow {
  readonly session_id: string;
  readonly fencing_token: number;
}

/** The values of {@linkcode followStatements}. */
interface FollowValues extends CallerValues {
  readonly workerId: string;
  readonly now: number;
}

/**
 * Returns the statements that mark the worker's follow commands as delivered and read them, one row for each server with
 * followers. Without followers they read an empty index.
 */
export function followStatements(
  orm: LibSQLDatabase,
  bind: Bind<FollowValues>,
): {
  readonly delivered: Statement<unknown>;
  readonly followed: Statement<FollowedRow[]>;
} {
  const workerId = bind("workerId");
  const held = sql.raw(`('${HELD_STATUSES.join("', '")}')`);
  const ofWorker = sql`s.worker_id = ${workerId} AND s.status IN ${held}`;
  return {
    delivered: orm.run(sql`UPDATE ${sessionLogFollows} SET is_delivered = 1
      WHERE is_delivered = 0 AND EXISTS (SELECT 1 FROM ${sessions} AS s
        WHERE s.id = ${sessionLogFollows.sessionId} AND ${ofWorker})
      AND ${isProvenWorker(workerId, bindCaller(bind))}`),
    followed: orm.all<FollowedRow>(sql`SELECT s.id AS session_id,
        s.fencing_token AS fencing_token
      FROM ${sessionLogFollows} AS f CROSS JOIN ${sessions} AS s
      WHERE f.followed_until > ${bind("now")} AND s.id = f.session_id
      AND ${ofWorker}`),
  };
}

/** Renders a stop command for the worker. */
export function toStopCommand(row: CommandRow): StopCommand {
  return {
    type: "stop",
    session_id: row.id,
    fencing_token: row.fencingToken,
    status: toStopStatus(row.stopStatus),
    reason: row.stopReason ?? "",
    force: row.stopForce,
  };
}

function toStopStatus(status: CommandRow["stopStatus"]): StopCommand["status"] {
  switch (status) {
    case "completed":
    case "expired":
    case "timed_out":
      return status;
    default:
      return "terminated";
  }
}
