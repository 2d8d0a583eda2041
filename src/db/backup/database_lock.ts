import { createLogger } from "../../core/log.ts";

const log = createLogger("db", "lock");

/** A held lock. Disposal releases it, and so does the end of the process. */
export interface DatabaseLock extends Disposable {
  /** Reports whether the file system has the lock file. */
  readonly isHeld: boolean;
}

/**
 * Locks the file `<database>.lock`: shared for programs that use the database, exclusive to replace it. SQLite's own
 * locks cannot show who uses a damaged database, and none of them lasts until a new file has the name.
 *
 * Where there can be no such file, such as on a read-only disk, the lock is not held and the program continues. The
 * file is never removed: a process could then lock a removed one.
 *
 * @returns The lock; undefined if another process holds one that excludes it.
 */
export function lockDatabase(
  database: string,
  { isExclusive }: { readonly isExclusive: boolean },
): DatabaseLock | undefined {
  const path = `${resolveLinks(database)}.lock`;
  let file: Deno.FsFile | undefined;
  try {
    file = openLockFile(path);
    if (!file.tryLockSync(isExclusive)) {
      file.close();
      return undefined;
    }
  } catch (error) {
    file?.close();
    file = undefined;
    log.warn(
      "Cannot lock {path}, a restore would not notice this process: {error}",
      { path, error },
    );
  }
  return {
    isHeld: file !== undefined,
    [Symbol.dispose]: () => file?.[Symbol.dispose](),
  };
}

/** Opens the file for reading, which a file of another user permits, or creates it. Follows no link to create it. */
function openLockFile(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const options = { read: true, write: true, createNew: true, mode: 0o644 };
  try {
    return Deno.openSync(path, options);
  } catch (error) {
    // Another process was first.
    if (error instanceof Deno.errors.AlreadyExists) return Deno.openSync(path);
    throw error;
  }
}

function resolveLinks(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}
