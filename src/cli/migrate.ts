import { Command } from "@commander-js/extra-typings";
import { fileURLToPath } from "node:url";
import { chooseApps } from "../http/api.ts";
import type { App } from "../core/app.ts";
import { createChildEnvironment } from "../providers/kit/child_environment.ts";
import { systemClock } from "../async/clock.ts";
import { openDatabase } from "../db/client.ts";
import { type Database } from "../core/database.ts";
import { migrate, migrationStatus } from "../db/migrate.ts";
import type { Settings } from "../core/settings.ts";
import {
  type DatabaseFlags,
  databaseSettings,
  withDatabaseOptions,
} from "./options/database_flags.ts";
import { readAllMigrations, resolveDatabaseUrl } from "../server/grid.ts";
import { examples } from "./help.ts";
import type { Output } from "./output.ts";
import { shownUrl } from "./shown_settings.ts";

/** `browsergrid migrate [up|status|make]`. */
export function migrateCommand(
  output: Output,
  apps: readonly App[],
): Command {
  return new Command("migrate")
    .description("Bring the database up to date, or tell where it is")
    .addHelpText(
      "after",
      examples([
        "migrate",
        "migrate status",
        "migrate up --database-url libsql://grid.example",
      ]),
    )
    .addCommand(
      databaseCommand("up", (flags) => up(flags, output, apps))
        .description("Apply the migrations that are missing (the default)")
        .addHelpText(
          "after",
          examples([
            "migrate up",
            "migrate up --database-url libsql://grid.example --json",
          ]),
        ),
      { isDefault: true },
    )
    .addCommand(
      databaseCommand("status", (flags) => status(flags, output, apps))
        .description("List the migrations, and when they were applied")
        .addHelpText(
          "after",
          examples(["migrate status", "migrate status --json"]),
        ),
    )
    .addCommand(makeCommand("make", { output, line: "migrate make" }));
}

/** `browsergrid createdb`. */
export function createdbCommand(
  output: Output,
  apps: readonly App[],
): Command {
  return databaseCommand("createdb", (flags) => up(flags, output, apps))
    .description("Make the database, with everything that it needs")
    .addHelpText(
      "after",
      examples(["createdb", "createdb --database-url file:/srv/grid.db"]),
    );
}

/** `browsergrid makemigrations MESSAGE`. */
export function makemigrationsCommand(output: Output): Command {
  return makeCommand("makemigrations", { output, line: "makemigrations" });
}

function databaseCommand(
  name: string,
  act: (flags: DatabaseFlags) => Promise<void>,
): Command {
  const command = withDatabaseOptions(new Command(name));
  command.action(() => act(command.opts() as DatabaseFlags)); // The options of withDatabaseOptions().
  return command as unknown as Command; // Without the types of its own options.
}

async function open(
  flags: DatabaseFlags,
  output: Output,
): Promise<Database & { readonly url: string; readonly settings: Settings }> {
  const settings = await databaseSettings(flags, output);
  await Deno.mkdir(settings.data_dir, { recursive: true });
  const url = resolveDatabaseUrl(settings);
  return {
    ...await openDatabase(url, { authToken: settings.database_auth_token }),
    url: shownUrl(url),
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
    await readAllMigrations(chooseApps(apps, db.settings)),
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
    await readAllMigrations(chooseApps(apps, db.settings)),
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
function makeCommand(
  name: string,
  { output, line }: { readonly output: Output; readonly line: string },
): Command {
  return new Command(name)
    .description(
      "Make a migration from the changes of the models (in a checkout)",
    )
    .argument("<message>", "what it does: becomes part of its name")
    .addHelpText("after", examples([`${line} "add labels to work pools"`]))
    .action(async (message) => {
      const slug = message.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");
      const { success, stdout, stderr } = await new Deno.Command(
        Deno.execPath(),
        {
          args: ["task", "db:generate", "--name", slug],
          clearEnv: true,
          env: { ...createChildEnvironment(), NO_COLOR: "1" },
          cwd: fileURLToPath(new URL("../../", import.meta.url)),
        },
      ).output();
      const said = new TextDecoder().decode(stdout);
      if (!success) {
        output.error((said + new TextDecoder().decode(stderr)).trim());
        throw new Error(
          "Cannot make a migration: see above; expected a checkout of the project",
        );
      }
      const [, file] = /(migrations\/[\w.-]+\.sql)/.exec(said) ?? [];
      output.print(
        file === undefined
          ? "No migration needed: the models have not changed"
          : `Created ${file}: review its SQL before you commit it`,
      );
    }) as unknown as Command; // Without the types of its own arguments.
}
