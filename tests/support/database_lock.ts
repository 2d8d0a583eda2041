/**
 * A database file locked by another process, as by a backup, a shell or a server that hangs.
 *
 * Run as a program it is that process: it takes the lock, says so, and keeps it until its standard input ends. So it
 * ends with the test that started it, also when that is killed.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

/** The lock. Disposal kills the process if it still runs: what it has not committed is undone. */
export interface DatabaseLock extends AsyncDisposable {
  /** Commits, and ends the process. */
  release(): Promise<void>;
}

/** Holds the write lock of the SQLite file at `path`, after running `sql` in its transaction. */
export async function lockDatabase(
  path: string,
  sql = "",
): Promise<DatabaseLock> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--quiet",
      "-A",
      fileURLToPath(import.meta.url),
      path,
      sql,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = child.stdout.getReader();
  let isOver = false;
  async function end(how: () => unknown): Promise<void> {
    if (isOver) return;
    isOver = true;
    await how();
    await child.status;
    await output.cancel();
  }
  const lock = {
    release: () => end(() => child.stdin.close()),
    [Symbol.asyncDispose]: () =>
      end(async () => {
        child.kill("SIGKILL");
        await child.stdin.abort().catch(() => {});
      }),
  };
  const { done } = await output.read();
  if (!done) return lock;
  await lock[Symbol.asyncDispose]();
  throw new Error(`Cannot lock "${path}": the other process has failed`);
}

async function hold(path: string, sql: string): Promise<void> {
  const db = new DatabaseSync(path, { timeout: 5_000 });
  db.exec(`BEGIN EXCLUSIVE; ${sql}`);
  await Deno.stdout.write(new TextEncoder().encode("locked\n"));
  for await (const _ of Deno.stdin.readable) {
    // Nothing is said to it: it waits for the end.
  }
  db.exec("COMMIT");
  db.close();
}

if (import.meta.main) {
  const [path = "", sql = ""] = Deno.args;
  await hold(path, sql);
}
