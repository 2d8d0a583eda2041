import type { Database } from "../core/database.ts";
// The variant without the native library: `client` is given.
import { drizzle } from "drizzle-orm/libsql/web";
import { type Clock, systemClock } from "../async/clock.ts";
import { connect, type Connection } from "./connection.ts";
import { readDriverCode } from "./driver_errors.ts";
import { queuedClient } from "./queued_client.ts";

/** How a database is used. */
export interface DatabaseOptions {
  /** By which calls wait for the database's lock. @default {systemClock} */
  readonly clock?: Clock;
}

/**
 * Opens `file:PATH`, `:memory:` or `libsql://…`, `https://…`, `http://…`.
 *
 * @throws {GridError} `database_unavailable` — when the file cannot be opened; `database_busy` — when it is locked for 5 s.
 */
export async function openDatabase(
  url: string,
  { authToken, ...options }: DatabaseOptions & {
    readonly authToken?: string | undefined;
  } = {},
): Promise<Database> {
  const db = createDatabase(await connect(url, authToken), options);
  try {
    // A file that is none of a database says so only when it is read. A remote one is not called without need.
    if (db.client.protocol === "file") {
      await db.client.execute("SELECT 1 FROM sqlite_schema LIMIT 1");
    }
    return db;
  } catch (error) {
    db[Symbol.dispose]();
    throw error;
  }
}

/** A database over a connection. */
export function createDatabase(
  connection: Connection,
  { clock = systemClock }: DatabaseOptions = {},
): Database {
  let trips = 0;
  const client = queuedClient(connection, { clock, onCall: () => trips++ });
  return {
    orm: drizzle(client),
    client,
    trips: () => trips,
    [Symbol.dispose]: () => client.close(),
  };
}

/** Whether `error` says that a row would have broken a UNIQUE, PRIMARY KEY or FOREIGN KEY constraint. */
export function isConstraintError(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (readDriverCode(each).startsWith("SQLITE_CONSTRAINT")) return true;
  }
  return false;
}
