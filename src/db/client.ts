import type { Database } from "../core/database.ts";
// Not drizzle(), which loads the client of remote databases too.
import { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import { LibSQLSession } from "drizzle-orm/libsql/session";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";
import { type Clock, systemClock } from "../async/clock.ts";
import type { Connection } from "./connection.ts";
import { readDriverCode, toDatabaseError } from "./driver_errors.ts";
import { QueuedClient } from "./queued_client.ts";

/** Tables are named in each query, not in a schema. */
type NoSchema = Record<string, never>;

/** Options of a database. */
export interface DatabaseOptions {
  /** Clock of the waits for the database's lock. @default {systemClock} */
  readonly clock?: Clock;
}

/**
 * Opens `file:PATH`, `:memory:` or `libsql://...`, `https://...`, `http://...`.
 *
 * @throws {GridError} `database_unavailable` - when the file cannot be opened; `database_busy` - when it is locked for 5 s.
 */
export async function openDatabase(
  url: string,
  { authToken, ...options }: DatabaseOptions & {
    readonly authToken?: string | undefined;
  } = {},
): Promise<Database> {
  const db = createDatabase(await connect(url, authToken), options);
  try {
    // Only a read shows that a file is not a database. A remote database is not called without need.
    if (db.client.protocol === "file") {
      await db.client.execute("SELECT 1 FROM sqlite_schema LIMIT 1");
    }
    return db;
  } catch (error) {
    db[Symbol.dispose]();
    throw error;
  }
}

/** Creates a database over a connection. */
export function createDatabase(
  connection: Connection,
  { clock = systemClock }: DatabaseOptions = {},
): Database {
  let trips = 0;
  const client = new QueuedClient(connection, {
    clock,
    onCall: () => trips++,
  });
  const dialect = new SQLiteAsyncDialect();
  const session = new LibSQLSession<NoSchema, NoSchema>(
    client,
    dialect,
    undefined,
    {},
    undefined,
  );
  return {
    orm: new LibSQLDatabase("async", dialect, session, undefined),
    client,
    expectedWaitMs: () => client.expectedWaitMs,
    hasBacklog: () => client.hasBacklog,
    trips: () => trips,
    measures: client.measures,
    [Symbol.dispose]: () => client.close(),
  };
}

/**
 * Opens a file, or creates the client of a remote server, which is not called yet.
 *
 * @throws {GridError} `database_unavailable` - the file cannot be opened.
 */
async function connect(url: string, authToken?: string): Promise<Connection> {
  const isFile = url === ":memory:" || url.startsWith("file:");
  try {
    if (isFile) {
      const { connectSqlite } = await import("./sqlite/sqlite_connection.ts");
      return await connectSqlite(url);
    }
    const { connectRemote } = await import("./remote_connection.ts");
    return await connectRemote(url, { authToken });
  } catch (error) {
    throw toDatabaseError(error);
  }
}

/** Reports whether `error` is a violation of a UNIQUE, PRIMARY KEY or FOREIGN KEY constraint. */
export function isConstraintError(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (readDriverCode(each).startsWith("SQLITE_CONSTRAINT")) return true;
  }
  return false;
}
