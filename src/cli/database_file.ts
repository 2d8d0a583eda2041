import type { Database } from "../core/database.ts";
import type { Settings } from "../core/settings.ts";
import { lockDatabase } from "../db/backup/database_lock.ts";
import { openDatabase } from "../db/client.ts";
import { parseFileUrl } from "../db/file_url.ts";
import { resolveDatabaseUrl } from "../server/grid.ts";
import { resolveSettings } from "./config.ts";
import type { DatabaseCommandOptions } from "./options/shared_options.ts";
import type { Output } from "./output.ts";

/** Returns the settings with the database that the options name. Prints warnings. */
export function resolveDatabaseSettings(
  options: DatabaseCommandOptions,
  output: Output,
): Promise<Settings> {
  return resolveSettings(
    { database_url: options.database_url, data_dir: options.data_dir },
    options,
    output,
  );
}

/** Returns the path of the file that contains the database; undefined if it is in memory or remote. */
export function findDatabaseFile(settings: Settings): string | undefined {
  const url = resolveDatabaseUrl(settings);
  return url.startsWith("file:") ? parseFileUrl(url) : undefined;
}

/**
 * Locks the file of the database against `browsergrid restore`, until disposal.
 *
 * @returns Undefined if it is in memory or remote.
 * @throws {Error} If it is being replaced.
 */
export function lockAgainstRestore(settings: Settings): Disposable | undefined {
  const file = findDatabaseFile(settings);
  if (file === undefined) return undefined;
  const lock = lockDatabase(file, { isExclusive: false });
  if (lock) return lock;
  throw new Error(
    `Cannot open database "${file}": "browsergrid restore" is replacing it, expected the end of that; then start again`,
  );
}

/** Opens the database, but does not create it. @throws {Error} If its file is missing. */
export async function openExisting(settings: Settings): Promise<Database> {
  const file = findDatabaseFile(settings);
  if (file !== undefined && !await fileExists(file)) {
    throw new Error(
      `Cannot open database "${file}": it does not exist, expected one created by "browsergrid createdb" or "browsergrid serve"`,
    );
  }
  return await openDatabase(resolveDatabaseUrl(settings), {
    authToken: settings.database_auth_token,
  });
}

/** Reports whether a file or folder exists. */
export async function fileExists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (isMissing) return false;
    throw error;
  }
}
