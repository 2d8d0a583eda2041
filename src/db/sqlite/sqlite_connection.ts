import type { Connection } from "../connection.ts";
import { SqliteClient } from "./sqlite_client.ts";
import { parseFileUrl } from "../file_url.ts";

/**
 * Readers do not wait for the writer; a commit survives the process, but not always a power failure. The journals of
 * savepoints stay in memory instead of files.
 */
const PRAGMAS = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; " +
  "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY";

/** Opens `file:PATH` or `:memory:`. @throws {SqliteError} When it cannot be opened. */
export function connectSqlite(url: string): Connection {
  const path = parseFileUrl(url);
  if (path !== ":memory:") makePrivate(path);
  const client = new SqliteClient(path);
  // Not at the opening, when the file may be locked.
  let isNew = true;
  return {
    client,
    concurrency: 1,
    batchGroup: (batches) => client.batchGroup(batches),
    async run(call) {
      if (isNew) await client.executeMultiple(PRAGMAS);
      isNew = false;
      return await call();
    },
    reconnect() {
      isNew = true;
      client.reconnect();
    },
    [Symbol.dispose]: () => client.close(),
  };
}

/**
 * Creates the file, if missing, readable by its owner only. SQLite gives its other files the same permissions.
 */
function makePrivate(path: string): void {
  try {
    const options = { createNew: true, write: true, mode: 0o600 };
    Deno.openSync(path, options).close();
  } catch {
    // The file exists or cannot be created: SQLite reports which.
  }
}
