import { dirname, join, resolve } from "node:path";
import { stderr, stdin } from "node:process";
import { createInterface } from "node:readline/promises";
import { systemClock } from "../../async/clock.ts";
import type { Settings } from "../../core/settings.ts";
import {
  inspectDatabase,
  type StoredGrid,
} from "../../db/backup/inspect_database.ts";
import { restoreDatabase } from "../../db/backup/restore_database.ts";
import {
  compareMigrations,
  rejectUnknown,
} from "../../db/migrations/status.ts";
import { readDriverCode } from "../../db/driver_errors.ts";
import { chooseApps } from "../../http/api.ts";
import { canOpen, KEY_FILE } from "../../server/encryption_key.ts";
import { readAllMigrations } from "../../server/grid.ts";
import type { CommandContext } from "../command.ts";
import { createDataFolder } from "../data_folder.ts";
import { fileExists, resolveDatabaseSettings } from "../database_file.ts";
import { UsageError } from "../exit.ts";
import type { DatabaseCommandOptions } from "../options/shared_options.ts";
import { VERSION } from "../version.ts";
import { requireDatabaseFile } from "./database_path.ts";
import { explainFailure } from "./explain_failure.ts";
import { rejectForeignFolder } from "./folder_owner.ts";

/** Arguments and options of `browsergrid restore`. */
export interface RestoreCommandOptions extends DatabaseCommandOptions {
  readonly file: string;
  readonly yes?: boolean | undefined;
}

/** Replaces the database by a backup, and prints where the replaced one is. */
export async function restore(
  { file, yes = false, ...options }: RestoreCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { output } = context;
  const settings = await resolveDatabaseSettings(options, output);
  const named = requireDatabaseFile(settings, "restore");
  // A link stays, and its target is replaced.
  const database = await fileExists(named) ? await Deno.realPath(named) : named;
  const backup = resolve(file);
  const stored = await readBackup(backup, settings, context);
  createDataFolder(settings);
  await rejectForeignFolder(database);
  const isKeyMissing = stored.sealed !== undefined &&
    !await canOpen(stored.sealed, settings).catch(() => false);
  await confirmReplacement(database, { yes, backup });
  const replaced = await replace(backup, database);
  if (options.json) {
    output.json({ database, file: backup, replaced: replaced ?? null });
  } else {
    output.print(`Restored ${database} from ${backup}`);
    if (replaced !== undefined) {
      output.print(`The replaced database is ${replaced}`);
    }
  }
  if (isKeyMissing) {
    output.error(
      `warning: The key of the secrets in the backup is not here: before the next start, put the encryption.key of its grid at ${
        join(settings.data_dir, KEY_FILE)
      }, or set BROWSERGRID_ENCRYPTION_KEY`,
    );
  }
}

/** Reads what the backup contains. @throws {Error} If this program cannot use it. */
async function readBackup(
  backup: string,
  settings: Settings,
  { loadInstalled }: CommandContext,
): Promise<StoredGrid> {
  if (!await fileExists(backup)) {
    throw new Error(
      `Cannot restore "${backup}": it does not exist, expected a file of "browsergrid backup"`,
    );
  }
  let stored: StoredGrid | undefined;
  try {
    stored = inspectDatabase(backup);
  } catch (error) {
    throw explainFailure(`restore "${backup}"`, error);
  }
  if (!stored) {
    throw new Error(
      `Cannot restore "${backup}": it is not the database of a grid, expected a file of "browsergrid backup"`,
    );
  }
  const { apps } = await loadInstalled();
  const migrations = await readAllMigrations(chooseApps(apps, settings));
  rejectUnknown(compareMigrations(stored.migrations, migrations), {
    what: `backup "${backup}"`,
    version: VERSION,
  });
  return stored;
}

/** Asks before a database is replaced. @throws {UsageError} If there is no terminal. */
async function confirmReplacement(
  database: string,
  { yes, backup }: { readonly yes: boolean; readonly backup: string },
): Promise<void> {
  if (!await fileExists(database)) return;
  if (await Deno.realPath(database) === await Deno.realPath(backup)) {
    throw new Error(
      `Cannot restore "${backup}": it is the database itself, expected a backup of it`,
    );
  }
  if (yes) return;
  if (!stdin.isTTY) {
    throw new UsageError(
      `Cannot restore "${backup}": it would replace database "${database}", expected --yes`,
    );
  }
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    const answer = await lines.question(`Replace ${database}? [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new Error(`Nothing was restored: the answer was not "y"`);
}

async function replace(
  backup: string,
  database: string,
): Promise<string | undefined> {
  try {
    return await restoreDatabase(backup, { database, now: systemClock.now() });
  } catch (error) {
    throw readDriverCode(error) === ""
      ? error
      : explainFailure(`restore "${backup}" in "${dirname(database)}"`, error);
  }
}
