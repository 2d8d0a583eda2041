import { systemClock } from "../../async/clock.ts";
import type { Database } from "../../core/database.ts";
import { openDatabase } from "../../db/client.ts";
import { migrate, migrationStatus } from "../../db/migrate.ts";
import { chooseApps } from "../../http/api.ts";
import { readAllMigrations, resolveDatabaseUrl } from "../../server/grid.ts";
import type { CommandContext } from "../command.ts";
import { resolveDatabaseSettings } from "../database_file.ts";
import type { DatabaseOptions } from "../options/shared_options.ts";
import { redactDatabaseUrl } from "../redact_settings.ts";

/** Applies the missing migrations. Creates the database if it is missing. */
export async function applyMigrations(
  options: DatabaseOptions,
  context: CommandContext,
): Promise<void> {
  const { output } = context;
  using db = await openWithMigrations(options, context);
  const applied = await migrate(db, db.migrations, systemClock.now());
  if (options.json) return output.json({ database: db.url, applied });
  output.print(
    applied.length === 0
      ? `${db.url} is up to date`
      : `Applied to ${db.url}: ${applied.join(", ")}`,
  );
}

/** Prints the migrations, and when they were applied. */
export async function showMigrations(
  options: DatabaseOptions,
  context: CommandContext,
): Promise<void> {
  const { output } = context;
  using db = await openWithMigrations(options, context);
  const rows = await migrationStatus(db, db.migrations);
  if (options.json) return output.json(rows);
  output.table(
    ["migration", "applied"],
    rows.map((row) => [
      row.name,
      (row.appliedAt === undefined
        ? "no"
        : new Date(row.appliedAt).toISOString()) +
      (row.unknown ? " (not known to this version)" : "") +
      (row.uninstalled ? " (its app is not installed)" : ""),
    ]),
  );
}

/** A database with the migrations of the chosen apps. */
interface MigratedDatabase extends Database {
  /** URL without secrets. */
  readonly url: string;
  readonly migrations: Awaited<ReturnType<typeof readAllMigrations>>;
}

async function openWithMigrations(
  options: DatabaseOptions,
  { output, loadInstalled }: CommandContext,
): Promise<MigratedDatabase> {
  const settings = await resolveDatabaseSettings(options, output);
  const { apps } = await loadInstalled();
  const migrations = await readAllMigrations(chooseApps(apps, settings));
  await Deno.mkdir(settings.data_dir, { recursive: true });
  const url = resolveDatabaseUrl(settings);
  return {
    ...await openDatabase(url, { authToken: settings.database_auth_token }),
    url: redactDatabaseUrl(url),
    migrations,
  };
}
