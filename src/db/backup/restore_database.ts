import { DatabaseSync } from "node:sqlite";
import { SqliteError, toSqliteError } from "../sqlite/sqlite_error.ts";
import { copyDatabase, renameDurably, syncFile } from "./copy_database.ts";
import { lockDatabase } from "./database_lock.ts";
import { createPartFile } from "./part_file.ts";

/** Files that SQLite keeps beside a database. */
const COMPANIONS = ["-wal", "-shm", "-journal"];

/** Wait for a command that uses the database for a moment. */
const LOCK_MS = 1_000;

/** Options of {@linkcode restoreDatabase}. */
export interface RestoreOptions {
  /** Path of the database to replace. It may be missing. */
  readonly database: string;
  /** Time in milliseconds since the epoch. */
  readonly now: number;
}

/** Reports whether the file exists. */
async function isPresent(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Puts a copy of `backup` in the place of the database. At any moment the database's path has the old or the new one.
 *
 * @returns Path at which the replaced database is kept; undefined if there was none.
 * @throws {Error} If another process uses the database.
 * @throws {SqliteError} If the copy cannot be made. The database is unchanged.
 */
export async function restoreDatabase(
  backup: string,
  { database, now }: RestoreOptions,
): Promise<string | undefined> {
  const hasOld = await isPresent(database);
  // Held until the new file has the name: a server that starts is rejected.
  using lock = lockDatabase(database, { isExclusive: true });
  if (!lock) throw inUse(database);
  // Before the copy too, which may take long.
  if (hasOld) rejectUsed(database);
  await using part = await createPartFile(database, now);
  await copyDatabase(backup, part.path);
  if (hasOld) rejectUsed(database);
  const kept = nameKept(database, now);
  if (hasOld) await link(database, { kept, now });
  await moveCompanions(database, kept);
  await renameDurably(part.path, database);
  return hasOld ? kept : undefined;
}

/**
 * Rejects a database that another process has open. Every process that uses it holds a shared lock, with which its
 * journal mode cannot be changed. The change also ends the write-ahead log: the database is then one file.
 */
function rejectUsed(path: string): void {
  try {
    const db = new DatabaseSync(path, { timeout: LOCK_MS });
    try {
      db.exec("PRAGMA journal_mode = DELETE");
    } finally {
      db.close();
    }
  } catch (thrown) {
    const error = toSqliteError(thrown);
    const code = error instanceof SqliteError ? error.code : "";
    // A damaged database is why it is restored.
    if (code === "SQLITE_CORRUPT" || code === "SQLITE_NOTADB") return;
    if (code !== "SQLITE_BUSY" && code !== "SQLITE_LOCKED") throw error;
    throw inUse(path, { cause: error });
  }
}

function inUse(path: string, options?: ErrorOptions): Error {
  return new Error(
    `Cannot replace database "${path}": a server or another program uses it, expected none; stop it first`,
    options,
  );
}

/** Returns the name at which a replaced database is kept. */
function nameKept(path: string, now: number): string {
  const time = new Date(now).toISOString().replaceAll(/[-:]/g, "");
  return `${path}.${time}.replaced`;
}

/** Gives the database a second name. */
async function link(
  path: string,
  { kept, now }: { readonly kept: string; readonly now: number },
): Promise<void> {
  try {
    await Deno.link(path, kept);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    // The disk has no links.
    await using part = await createPartFile(kept, now);
    await Deno.copyFile(path, part.path);
    await syncFile(part.path);
    await Deno.rename(part.path, kept);
  }
}

/**
 * Moves the files that a damaged or deleted database has left. SQLite would apply the old log to the new database.
 */
async function moveCompanions(path: string, kept: string): Promise<void> {
  for (const ending of COMPANIONS) {
    if (!await isPresent(path + ending)) continue;
    await Deno.rename(path + ending, kept + ending);
  }
}
