import { type Client, createClient } from "@libsql/client";
import type { Connection } from "./connection.ts";
import { isBusy } from "./driver_errors.ts";

/**
 * Asks for the lock without waiting: the library is synchronous, its waits would stop every request, socket and timer
 * of the process. Whoever finds the file locked waits in a line outside of it.
 *
 * Asked beforehand, because a statement that finds the file locked is not reset by the library: until it is collected
 * as garbage the connection can neither commit nor see what others write. Not so the statements of a script like this.
 * Only if another process takes the lock in the moment after it, is there a short wait.
 *
 * @see {@link https://github.com/tursodatabase/libsql-client-ts/issues/352 libsql-client-ts 352}
 */
const ASK_FOR_LOCK =
  "PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ROLLBACK; PRAGMA busy_timeout = 20";

/** Opens `file:PATH` or `:memory:`. Calls run one after the other. */
export function connectFile(url: string): Connection {
  // One connection, because the pragmas belong to a connection.
  const client = createClient({ url, concurrency: 1 });
  // The library replaces a connection that it cannot roll back, after a failure on the disk for instance, and does not
  // say so: after every failure, a locked file among them, the pragmas are set again.
  let isNew = true;
  const oneByOne = createQueue();
  function reconnect(): void {
    isNew = true;
    client.reconnect();
  }
  async function attempt<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      // There is a statement now that was not reset.
      if (isBusy(error)) client.reconnect();
      throw error;
    }
  }
  async function run<T>(call: () => Promise<T>, isRead: boolean): Promise<T> {
    if (isNew) await attempt(() => setPragmas(client));
    isNew = true;
    if (!isRead) await client.executeMultiple(ASK_FOR_LOCK);
    const result = await attempt(call);
    isNew = false;
    return result;
  }
  return {
    client,
    places: 1,
    run: (call, { isRead }) => oneByOne(() => run(call, isRead)),
    reconnect,
    [Symbol.dispose]: () => client.close(),
  };
}

async function setPragmas(client: Client): Promise<void> {
  // Readers do not wait for the writer; a commit survives the process, if not always the power.
  await client.execute("PRAGMA journal_mode = WAL");
  await client.execute("PRAGMA synchronous = NORMAL");
  await client.execute("PRAGMA foreign_keys = ON");
}

/** Runs what it is given one after the other. */
function createQueue() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(task: () => Promise<T>): Promise<T> => {
    const next = last.then(task);
    last = next.catch(() => {});
    return next;
  };
}
