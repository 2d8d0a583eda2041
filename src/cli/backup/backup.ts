import { join, resolve } from "node:path";
import { systemClock } from "../../async/clock.ts";
import { copyDatabase, renameDurably } from "../../db/backup/copy_database.ts";
import {
  inspectDatabase,
  type StoredGrid,
} from "../../db/backup/inspect_database.ts";
import { createPartFile } from "../../db/backup/part_file.ts";
import { KEY_FILE } from "../../server/encryption_key.ts";
import type { CommandContext } from "../command.ts";
import { fileExists, resolveDatabaseSettings } from "../database_file.ts";
import type { DatabaseCommandOptions } from "../options/shared_options.ts";
import { requireDatabaseFile } from "./database_path.ts";
import { explainFailure } from "./explain_failure.ts";
import { rejectForeignFolder } from "./folder_owner.ts";
import { renderSize } from "./render_size.ts";

/** Arguments and options of `browsergrid backup`. */
export interface BackupOptions extends DatabaseCommandOptions {
  readonly file?: string | undefined;
  readonly force?: boolean | undefined;
}

/** Copies the database to a file, and prints its path and size. */
export async function backUp(
  { file, force = false, ...options }: BackupOptions,
  { output }: CommandContext,
): Promise<void> {
  const settings = await resolveDatabaseSettings(options, output);
  const database = requireDatabaseFile(settings, "back up");
  if (!await fileExists(database)) {
    throw new Error(
      `Cannot back up database "${database}": it does not exist, expected one of "browsergrid serve"`,
    );
  }
  requireGrid(database);
  const now = systemClock.now();
  const target = await resolveTarget(file, now);
  await rejectExisting(target, { force, database });
  await rejectForeignFolder(target);
  {
    await using part = await createPartFile(target, now).catch((cause) => {
      throw explainFailure(`write backup "${target}"`, cause);
    });
    try {
      await copyDatabase(database, part.path);
    } catch (error) {
      throw explainFailure(`write backup "${target}"`, error);
    }
    await renameDurably(part.path, target);
  }
  const { size } = await Deno.stat(target);
  if (options.json) {
    return output.json({ database, file: target, size_bytes: size });
  }
  output.print(`Backed up ${database} to ${target} (${renderSize(size)})`);
  const key = join(settings.data_dir, KEY_FILE);
  if (settings.encryption_key === undefined && await fileExists(key)) {
    output.progress(
      `Back up ${key} separately: without it the secrets in the backup cannot be read`,
    );
  }
}

/** Rejects a file that is not the database of a grid. */
function requireGrid(database: string): void {
  let stored: StoredGrid | undefined;
  try {
    stored = inspectDatabase(database);
  } catch (error) {
    throw explainFailure(`back up database "${database}"`, error);
  }
  if (stored) return;
  throw new Error(
    `Cannot back up "${database}": it is not the database of a grid, expected one of "browsergrid serve"`,
  );
}

/** Returns the path of the backup: `file`, a name with the time in that folder, or one in the current folder. */
async function resolveTarget(
  file: string | undefined,
  now: number,
): Promise<string> {
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const name = `browsergrid-${time}.db`;
  if (file === undefined) return resolve(name);
  const path = resolve(file);
  const isFolder = await fileExists(path) &&
    (await Deno.stat(path)).isDirectory;
  return isFolder ? join(path, name) : path;
}

async function rejectExisting(
  target: string,
  { force, database }: { readonly force: boolean; readonly database: string },
): Promise<void> {
  if (!await fileExists(target)) return;
  const isDatabase =
    await Deno.realPath(target) === await Deno.realPath(database);
  if (isDatabase) {
    throw new Error(
      `Cannot write backup "${target}": it is the database, expected another file`,
    );
  }
  const isUsed = await fileExists(`${target}-wal`);
  if (isUsed || !(await Deno.stat(target)).isFile) {
    throw new Error(
      `Cannot write backup "${target}": it is ${
        isUsed ? "a database in use" : "no file"
      }, expected a file that may be replaced`,
    );
  }
  if (force) return;
  throw new Error(
    `Cannot write backup "${target}": it exists, expected a new file; replace it with --force`,
  );
}
