import { type Command, defineCommand } from "../command.ts";
import { word } from "../options/argument_types.ts";

async function migrationOptions() {
  const { migrationOptions } = await import("./options.ts");
  return migrationOptions();
}

const upCommand = defineCommand({
  name: "up",
  description: "Apply the missing migrations (the default)",
  options: migrationOptions,
  examples: [
    "migrate up",
    "migrate up --database-url libsql://grid.example --json",
  ],
  async run(options, context) {
    const { applyMigrations } = await import("./migrate.ts");
    await applyMigrations(options, context);
  },
});

const statusCommand = defineCommand({
  name: "status",
  description: "List the migrations, and when they were applied",
  options: migrationOptions,
  examples: ["migrate status", "migrate status --json"],
  async run(options, context) {
    const { showMigrations } = await import("./migrate.ts");
    await showMigrations(options, context);
  },
});

/** `browsergrid migrate [up|status|make]`. */
export const migrateCommand: Command = defineCommand({
  name: "migrate",
  description: "Bring the database up to date, or show its migrations",
  examples: [
    "migrate",
    "migrate status",
    "migrate up --database-url libsql://grid.example",
  ],
  commands: () => [
    upCommand,
    statusCommand,
    makeCommand("make", "migrate make"),
  ],
  defaultCommand: "up",
});

/** `browsergrid createdb`. */
export const createdbCommand: Command = {
  ...upCommand,
  name: "createdb",
  description: "Create the database with all of its tables",
  examples: ["createdb", "createdb --database-url file:/srv/grid.db"],
};

/** `browsergrid makemigrations MESSAGE`. */
export const makemigrationsCommand: Command = makeCommand(
  "makemigrations",
  "makemigrations",
);

/** @param line The words that call the command. */
function makeCommand(name: string, line: string): Command {
  return defineCommand({
    name,
    description:
      "Make a migration from the changes of the models (in a checkout)",
    arguments: { message: word("its purpose, which becomes part of its name") },
    examples: [`${line} "add labels to work pools"`],
    async run({ message }, { output }) {
      const { makeMigration } = await import("./migrate.ts");
      await makeMigration(message, output);
    },
  });
}
