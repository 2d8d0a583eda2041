import { and, eq, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Statement } from "../../../../core/database.ts";
import { sessions } from "../../models.ts";
import type { StopCommand } from "../../schemas/leases.ts";
import type { SessionStatus } from "../../status.ts";

/** Condition that a session has a stop command that its worker has not obeyed. A forced one stays until the worker reports the end. */
export const hasStopCommand: SQL = sql`(${sessions.stopRequestedAt} IS NOT NULL
  AND (${sessions.status} IN ('starting', 'running') OR ${sessions.stopForce} = 1))`;

/** Columns of a stop command. */
interface CommandRow {
  readonly id: string;
  readonly fencingToken: number;
  readonly stopStatus: SessionStatus | null;
  readonly stopReason: string | null;
  readonly stopForce: boolean;
}

/** Returns the statement that reads the worker's stop commands. @param known Sessions whose commands the worker has received. */
export function selectCommands(
  orm: LibSQLDatabase,
  workerId: string,
  known: readonly string[] = [],
): Statement<CommandRow[]> {
  return orm.select({
    id: sessions.id,
    fencingToken: sessions.fencingToken,
    stopStatus: sessions.stopStatus,
    stopReason: sessions.stopReason,
    stopForce: sessions.stopForce,
  }).from(sessions).where(and(
    eq(sessions.workerId, workerId),
    hasStopCommand,
    known.length === 0
      ? undefined
      : sql`${sessions.id} NOT IN (SELECT value FROM json_each(${
        JSON.stringify(known)
      }))`,
  ));
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
