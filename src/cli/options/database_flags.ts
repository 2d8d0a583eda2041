import type { Command } from "@commander-js/extra-typings";
import { openDatabase } from "../../db/client.ts";
import { type Database } from "../../core/database.ts";
import { parseFileUrl } from "../../db/file_url.ts";
import type { Settings } from "../../core/settings.ts";
import { type CommonFlags, settingsFrom } from "../config.ts";
import { resolveDatabaseUrl } from "../../server/grid.ts";
import type { Output } from "../output.ts";

/** Flags of every command that opens the database itself. */
export interface DatabaseFlags extends CommonFlags {
  readonly databaseUrl?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly json?: boolean | undefined;
}

/** The options of every command that opens the database itself. */
export function withDatabaseOptions(command: Command): Command {
  command
    .option("--database-url <url>", "file:PATH, :memory: or libsql://HOST")
    .option("--data-dir <folder>", "folder of the database")
    .option("--config <file>", "configuration file (browsergrid.json)")
    .option("--json", "print JSON")
    .option("--debug", "show where an error came from");
  return command;
}

/** The settings that these flags make. */
export function databaseSettings(
  flags: DatabaseFlags,
  output: Output,
): Promise<Settings> {
  return settingsFrom(
    { database_url: flags.databaseUrl, data_dir: flags.dataDir },
    flags,
    output,
  );
}

/** Path of the file that the settings' database is in, if it is in one. */
export function databaseFile(settings: Settings): string | undefined {
  const url = resolveDatabaseUrl(settings);
  return url.startsWith("file:") ? parseFileUrl(url) : undefined;
}

/** Opens the settings' database; makes none. @throws {Error} If its file is not there. */
export async function openExisting(settings: Settings): Promise<Database> {
  const file = databaseFile(settings);
  if (file !== undefined && !await isThere(file)) {
    throw new Error(
      `Cannot open database "${file}": it is not there, expected one made by "browsergrid createdb" or "browsergrid serve"`,
    );
  }
  return await openDatabase(resolveDatabaseUrl(settings), {
    authToken: settings.database_auth_token,
  });
}

/** Whether a file or folder is there. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    const isAbsent = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (isAbsent) return false;
    throw error;
  }
}
