import type { Client } from "@libsql/client";
import type { BatchItem } from "drizzle-orm/batch";
import type { RunnableQuery } from "drizzle-orm/runnable-query";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
// The variant without the native library: `client` is given.
import { drizzle } from "drizzle-orm/libsql/web";
import { GridError } from "../errors.ts";

/** Longest wait for another process's write, in a file. */
const BUSY_TIMEOUT_MS = 5_000;

/** A query that has not run yet: awaited alone, or one of a batch. `T` is its result either way. */
export type Statement<T> =
  & BatchItem<"sqlite">
  & RunnableQuery<T, "sqlite">
  & PromiseLike<T>;

/** The database of the grid: one file, or a remote libSQL server. */
export interface Database extends Disposable {
  /** Builds and runs queries. One query or one `batch` is one round trip; interactive transactions are not used. */
  readonly orm: LibSQLDatabase;
  /** For migrations and SQL prompts. */
  readonly client: Client;
  /** Round trips so far. */
  trips(): number;
}

/**
 * Opens `file:PATH`, `:memory:` or `libsql://…`, `https://…`, `http://…`.
 *
 * @throws {GridError} `database_unavailable` — when the file cannot be opened.
 */
export async function openDatabase(
  url: string,
  authToken?: string,
): Promise<Database> {
  const client = await connect(url, authToken);
  return databaseOver(client);
}

/** A database over any libSQL client, for `fetch`-only platforms and tests. */
export function databaseOver(client: Client): Database {
  let trips = 0;
  const counted = observed(client, () => trips++);
  return {
    orm: drizzle(counted),
    client: counted,
    trips: () => trips,
    [Symbol.dispose]: () => client.close(),
  };
}

async function connect(url: string, authToken?: string): Promise<Client> {
  const isFile = url === ":memory:" || url.startsWith("file:");
  try {
    return isFile
      ? await connectFile(url)
      : await connectRemote(url, authToken);
  } catch (error) {
    throw translate(error);
  }
}

async function connectFile(url: string): Promise<Client> {
  const { createClient } = await import("@libsql/client");
  // One connection, because the pragmas below belong to a connection.
  const client = createClient({
    url,
    concurrency: 1,
    timeout: BUSY_TIMEOUT_MS,
  });
  try {
    // Readers do not wait for the writer; a commit survives the process, if not always the power.
    await client.execute("PRAGMA journal_mode = WAL");
    await client.execute("PRAGMA synchronous = NORMAL");
    await client.execute("PRAGMA foreign_keys = ON");
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

async function connectRemote(url: string, authToken?: string): Promise<Client> {
  const { createClient } = await import("@libsql/client/web");
  return createClient({
    url,
    ...(authToken === undefined ? {} : { authToken }),
  });
}

/** `client` with its round trips counted and its errors translated. */
function observed(client: Client, onTrip: () => void): Client {
  const watched = new Set(["execute", "batch", "migrate", "executeMultiple"]);
  return new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      if (typeof name !== "string" || !watched.has(name)) {
        return member.bind(target);
      }
      return async (...values: unknown[]) => {
        onTrip();
        try {
          return await Reflect.apply(member, target, values);
        } catch (error) {
          throw translate(error);
        }
      };
    },
  });
}

/** Whether `error` says that a row would have broken a UNIQUE, PRIMARY KEY or FOREIGN KEY constraint. */
export function isConstraintError(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (codeOf(each).startsWith("SQLITE_CONSTRAINT")) return true;
  }
  return false;
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

/** The refusal for what passes by itself; anything else as it is. */
function translate(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = codeOf(error);
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return new GridError(
      "database_busy",
      "Cannot use the database now: another process is writing, try again",
      {},
      { cause: error },
    );
  }
  if (isUnavailable(error, code)) {
    return new GridError(
      "database_unavailable",
      "Cannot use the database now: it cannot be reached, opened or written, try again",
      {},
      { cause: error },
    );
  }
  return error;
}

function isUnavailable(error: Error, code: string): boolean {
  return /^SQLITE_(CANTOPEN|FULL|IOERR|READONLY)/.test(code) ||
    /^(HRANA_WEBSOCKET_ERROR|HRANA_CLOSED_ERROR|SERVER_ERROR|ConnectionFailed)/
      .test(code) ||
    error instanceof TypeError && /fetch|connect|network/i.test(error.message);
}
