import { type SQL, sql } from "drizzle-orm";
import type { Bind } from "../../../db/prepare.ts";
import { sessions } from "../../sessions/models.ts";
import { handovers } from "../models.ts";

/** A session by its id; with an owner, only if it belongs to that owner. */
export interface SessionRef {
  readonly id: string;
  readonly owner?: string | undefined;
}

/** Returns the condition that a row of `sessions` is the session of a {@linkcode SessionRef}. */
export function isSession(bind: Bind<SessionRef>): SQL {
  return sql`${sessions.id} = ${bind("id")}
    AND (${bind("owner")} IS NULL OR ${sessions.owner} = ${bind("owner")})`;
}

/** Columns of an event of a session. */
export const sessionOfEvent = {
  sessionId: sql`${sessions.id}`,
  workPoolId: sql`${sessions.workPoolId}`,
  workerId: sql`${sessions.workerId}`,
  owner: sql`${sessions.owner}`,
};

/** Condition that a session has no open request. */
export const hasNoRequest = sql`NOT EXISTS (SELECT 1 FROM ${handovers} AS o
  INDEXED BY handovers_open
  WHERE o.session_id = ${sessions.id} AND o.status = 'open')`;

/** Returns SQL for the ISO 8601 text of a time in milliseconds. */
export function toIsoTime(ms: SQL): SQL {
  return sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${ms} / 1000.0, 'unixepoch')`;
}
