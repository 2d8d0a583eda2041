import { type Command, defineCommand } from "../command.ts";

/** `browsergrid dbshell`. */
export const dbshellCommand: Command = defineCommand({
  name: "dbshell",
  description: "Open a prompt for SQL on the database, also a remote one",
  async options() {
    const { dbshellOptions } = await import("./options.ts");
    return dbshellOptions();
  },
  examples: [
    "dbshell",
    'dbshell -c "SELECT status, count(*) FROM sessions GROUP BY status"',
    "dbshell --json < report.sql",
    "dbshell --database-url libsql://grid.example",
  ],
  notes:
    `At the prompt: .tables, .schema [TABLE], .help, .quit. An error ends a script
with code 1, but not the prompt.
The token of a remote database comes from BROWSERGRID_DATABASE_AUTH_TOKEN.`,
  async run(options, { output }) {
    const { runDbshell } = await import("./dbshell.ts");
    await runDbshell(options, output);
  },
});
