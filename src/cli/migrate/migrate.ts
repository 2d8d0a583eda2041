import { fileURLToPath } from "node:url";
import { systemClock } from "../../async/clock.ts";
import type { Database } from "../../core/database.ts";
import { openDatabase } from "../../db/client.ts";
import { migrate, migrationStatus } from "../../db/migrate.ts";
import { chooseApps } from "../../http/api.ts";
import { readAllMigrations, resolveDatabaseUrl } from "../../server/grid.ts";
import { createChildEnvironment } from "../../providers/kit/child_environment.ts";
import type { CommandContext } from "../command.ts";
import { createDataFolder } from "../data_folder.ts";
import {
  lockAgainstRestore,
  resolveDatabaseSettings,
} from "../database_file.ts";
import type { DatabaseCommandOptions } from "../options/shared_options.ts";
import type { Output } from "../output.ts";
import { redactDatabaseUrl } from "../redact_settings.ts";
import { VERSION } from "../version.ts";

/** Applies the missing migrations. Creates the database if it is missing. */
export async function applyMigrations(
  options: DatabaseCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { output } = context;
  using db = await openWithMigrations(options, context);
  const applied = await migrate(db, db.migrations, {
    now: systemClock.now(),
    version: VERSION,
  });
  if (options.json) return output.json({ database: db.url, applied });
  output.print(
    applied.length === 0
      ? `${db.url} is up to date`
      : `Applied to ${db.url}: ${applied.join(", ")}`,
  );
}

/** Prints the migrations, and when they were applied. */
export async function showMigrations(
  options: DatabaseCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { output } = context;
  using db = await openWithMigrations(options, context);
  const rows = await migrationStatus(db, db.migrations);
  if (options.json) return output.json(rows);
  await output.table(
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
  options: DatabaseCommandOptions,
  { output, loadInstalled }: CommandContext,
): Promise<MigratedDatabase> {
  const settings = await resolveDatabaseSettings(options, output);
  const { apps } = await loadInstalled();
  const migrations = await readAllMigrations(chooseApps(apps, settings));
  createDataFolder(settings);
  const url = resolveDatabaseUrl(settings);
  using stack = new DisposableStack();
  stack.use(lockAgainstRestore(settings));
  const db = stack.use(
    await openDatabase(url, { authToken: settings.database_auth_token }),
  );
  const owned = stack.move();
  return {
    ...db,
    url: redactDatabaseUrl(url),
    migrations,
    [Symbol.dispose]: () => owned.dispose(),
  };
}

/** Writes a migration for the changes of the models. Only a checkout has the models' sources. */
export async function makeMigration(
  message: string,
  output: Output,
): Promise<void> {
  const slug = message.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");
  const command = new Deno.Command(Deno.execPath(), {
    args: ["task", "db:generate", "--name", slug],
    clearEnv: true,
    env: { ...createChildEnvironment(), NO_COLOR: "1" },
    cwd: fileURLToPath(new URL("../../../", import.meta.url)),
  });
  const { success, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout);
  if (!success) {
    output.error((text + new TextDecoder().decode(stderr)).trim());
    throw new Error(
      "Cannot make a migration: see above; expected a checkout of the project",
    );
  }
  const [, file] = /(migrations\/[\w.-]+\.sql)/.exec(text) ?? [];
  output.print(
    file === undefined
      ? "No migration needed: the models have not changed"
      : `Created ${file}: review its SQL before you commit it`,
  );
}
