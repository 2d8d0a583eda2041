import { Command } from "@commander-js/extra-typings";
import { fileURLToPath } from "node:url";
import type { App } from "../core/app.ts";
import { systemClock } from "../core/clock.ts";
import { type Database, openDatabase } from "../core/db/client.ts";
import { migrate, migrationStatus } from "../core/db/migrate.ts";
import type { Settings } from "../core/settings.ts";
import { type CommonFlags, settingsFrom } from "./config.ts";
import { chosenApps, databaseUrlOf, migrationsOf } from "./grid.ts";
import type { Output } from "./output.ts";

interface DatabaseFlags extends CommonFlags {
  readonly databaseUrl?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly json?: boolean | undefined;
}

/** `browsergrid migrate [up|status|make]`. */
export function migrateCommand(
  output: Output,
  apps: readonly App[],
): Command {
  return new Command("migrate")
    .description("Bring the database up to date, or tell where it is")
    .addCommand(
      databaseCommand("up", (flags) => up(flags, output, apps))
        .description("Apply the migrations that are missing (the default)"),
      { isDefault: true },
    )
    .addCommand(
      databaseCommand("status", (flags) => status(flags, output, apps))
        .description("List the migrations, and when they were applied"),
    )
    .addCommand(makeCommand("make", output));
}

/** `browsergrid createdb`. */
export function createdbCommand(
  output: Output,
  apps: readonly App[],
): Command {
  return databaseCommand("createdb", (flags) => up(flags, output, apps))
    .description("Make the database, with everything that it needs");
}

/** `browsergrid makemigrations MESSAGE`. */
export function makemigrationsCommand(output: Output): Command {
  return makeCommand("makemigrations", output);
}

function databaseCommand(
  name: string,
  act: (flags: DatabaseFlags) => Promise<void>,
): Command {
  const command = new Command(name)
    .option("--database-url <url>", "file:PATH, :memory: or libsql://HOST")
    .option("--data-dir <folder>", "folder of the database")
    .option("--config <file>", "configuration file (browsergrid.json)")
    .option("--json", "print JSON")
    .option("--debug", "show where an error came from");
  command.action((flags) => act(flags));
  return command as unknown as Command; // Without the types of its own options.
}

async function open(
  flags: DatabaseFlags,
  output: Output,
): Promise<Database & { readonly url: string; readonly settings: Settings }> {
  const settings = await settingsFrom(
    { database_url: flags.databaseUrl, data_dir: flags.dataDir },
    flags,
    output,
  );
  await Deno.mkdir(settings.data_dir, { recursive: true });
  const url = databaseUrlOf(settings);
  return {
    ...await openDatabase(url, { authToken: settings.database_auth_token }),
    url,
    settings,
  };
}

async function up(
  flags: DatabaseFlags,
  output: Output,
  apps: readonly App[],
): Promise<void> {
  using db = await open(flags, output);
  const applied = await migrate(
    db,
    await migrationsOf(chosenApps(apps, db.settings)),
    systemClock.now(),
  );
  if (flags.json) return output.json({ database: db.url, applied });
  output.print(
    applied.length === 0
      ? `${db.url} is up to date`
      : `Applied to ${db.url}: ${applied.join(", ")}`,
  );
}

async function status(
  flags: DatabaseFlags,
  output: Output,
  apps: readonly App[],
): Promise<void> {
  using db = await open(flags, output);
  const rows = await migrationStatus(
    db,
    await migrationsOf(chosenApps(apps, db.settings)),
  );
  if (flags.json) return output.json(rows);
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

/** Only a checkout has the models' sources, from which the SQL is made. */
function makeCommand(name: string, output: Output): Command {
  return new Command(name)
    .description(
      "Make a migration from the changes of the models (in a checkout)",
    )
    .argument("<message>", "what it does: becomes part of its name")
    .action(async (message) => {
      const slug = message.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");
      const { success } = await new Deno.Command(Deno.execPath(), {
        args: ["task", "db:generate", "--name", slug],
        cwd: fileURLToPath(new URL("../../", import.meta.url)),
      }).spawn().status;
      if (!success) {
        throw new Error(
          "Cannot make a migration: see above; expected a checkout of the project",
        );
      }
      output.print("Read the new SQL in migrations/ before you commit it");
    }) as unknown as Command; // Without the types of its own arguments.
}
