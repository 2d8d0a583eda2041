import type { Connection } from "./connection.ts";
import { FileClient } from "./file_client.ts";

/** Readers do not wait for the writer; a commit survives the process, if not always the power. */
const PRAGMAS =
  "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON";

/** Opens `file:PATH` or `:memory:`. @throws {SqliteError} When it cannot be opened. */
export function connectFile(url: string): Connection {
  const client = new FileClient(pathOf(url));
  // Not when it is opened: the file may be locked then.
  let isNew = true;
  return {
    client,
    places: 1,
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

/** Path of a `file:` URL: relative, absolute, or with an empty host. */
export function pathOf(url: string): string {
  if (url === ":memory:") return url;
  const path = url.replace(/^file:(\/\/(localhost)?(?=\/))?/, "");
  return decodeURIComponent(path);
}
