import type { Client } from "@libsql/client";
import { toDatabaseError } from "./driver_errors.ts";

/** Reads, and writes, that a client may have under way at once, if it can have several. */
export const MAX_CONCURRENCY = 20;

/** An open client, and how it wants to be called. */
export interface Connection extends Disposable {
  readonly client: Client;
  /** Reads, and writes, that may be under way at once. */
  readonly concurrency: number;
  /** Makes one call of the client. */
  run<T>(call: () => Promise<T>): Promise<T>;
  /** Starts anew, with another connection. */
  reconnect(): void;
}

/**
 * Opens a file, or prepares the way to a remote server, which is not called yet.
 *
 * @throws {GridError} `database_unavailable` — when the file cannot be opened.
 */
export async function connect(
  url: string,
  authToken?: string,
): Promise<Connection> {
  const isFile = url === ":memory:" || url.startsWith("file:");
  try {
    if (isFile) {
      const { connectSqlite: connectFile } = await import(
        "./sqlite_connection.ts"
      );
      return await connectFile(url);
    }
    const { connectRemote } = await import("./remote_connection.ts");
    return await connectRemote(url, { authToken });
  } catch (error) {
    throw toDatabaseError(error);
  }
}
