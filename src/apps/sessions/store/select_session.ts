import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Statement } from "../../../core/database.ts";
import type { Bind } from "../../../db/prepare.ts";
import { sessions } from "../models.ts";
import type { Session } from "../session.ts";
import { publicColumns } from "./columns.ts";
import { queueStateColumn } from "./queue/queue_state.ts";

/** A session by its id; with an owner, only if it belongs to that owner. */
export interface SessionRef {
  readonly id: string;
  readonly owner?: string | undefined;
}

/** Columns of a single session in responses. */
const sessionColumns = {
  ...publicColumns,
  waiting: queueStateColumn(),
};

/** Returns the condition that a row is the session of a {@linkcode SessionRef}. */
export function isSession(bind: Bind<SessionRef>): SQL {
  return sql`${sessions.id} = ${bind("id")}
    AND (${bind("owner")} IS NULL OR ${sessions.owner} = ${bind("owner")})`;
}

/** Returns the statement that reads a session for a response. */
export function selectSession(
  orm: LibSQLDatabase,
  bind: Bind<SessionRef>,
): Statement<Session[]> {
  return orm.select(sessionColumns).from(sessions).where(isSession(bind));
}

/** Returns the statement that finds out if a session exists. */
export function selectId(
  orm: LibSQLDatabase,
  bind: Bind<SessionRef>,
): Statement<{ readonly id: string }[]> {
  return orm.select({ id: sessions.id }).from(sessions).where(isSession(bind));
}
