import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { toSqliteError } from "../sqlite/sqlite_error.ts";

/** Wait for another process that recovers the log of a killed one. */
const LOCK_MS = 5_000;

/** Opens a SQLite file that is only read, and closes it after `read`. @throws {SqliteError} */
export function readSqlite<T>(path: string, read: (db: DatabaseSync) => T): T {
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: LOCK_MS });
    try {
      return read(db);
    } finally {
      db.close();
    }
  } catch (error) {
    throw toSqliteError(error);
  }
}

/**
 * Copies a SQLite file, which other processes may use, to a new file that only its owner can read.
 *
 * The copy is one read transaction. Writers neither wait for it nor change it; the write-ahead log grows until it ends.
 * The file is written through to the disk and checked, but keeps its temporary name: the caller renames it, or removes
 * it after an error.
 *
 * @throws {SqliteError} `SQLITE_FULL` - the disk is full, `SQLITE_CORRUPT` - the source is damaged.
 * @throws {Error} The copy is damaged.
 */
export async function copyDatabase(
  source: string,
  target: string,
): Promise<void> {
  await Deno.writeFile(target, new Uint8Array(), {
    createNew: true,
    mode: 0o600,
  });
  // Not SQLite's backup interface: it begins again with every change by another process.
  readSqlite(source, (db) => db.prepare("VACUUM INTO ?").run(target));
  const problem = readSqlite(target, (db) => {
    const row = db.prepare("PRAGMA quick_check(1)").get();
    return String(row?.["quick_check"]);
  });
  if (problem !== "ok") {
    throw new Error(
      `Cannot copy database "${source}": the copy is damaged, expected a disk without faults (${problem})`,
    );
  }
  await syncFile(target);
}

/** Gives a file its final name. A power failure leaves the file that had the name before, or this one. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await Deno.rename(from, to);
  // Windows has no such call for folders.
  if (Deno.build.os !== "windows") await syncFile(dirname(to));
}

/** Writes a file or folder through to the disk. */
export async function syncFile(path: string): Promise<void> {
  using file = await Deno.open(path);
  await file.sync();
}
