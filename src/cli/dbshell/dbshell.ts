import { Command } from "@commander-js/extra-typings";
import {
  type DatabaseFlags,
  databaseSettings,
  openExisting,
  withDatabaseOptions,
} from "../options/database_flags.ts";
import { resolveDatabaseUrl } from "../../server/grid.ts";
import { examples } from "../help.ts";
import type { Output } from "../output.ts";
import { shownUrl } from "../shown_settings.ts";
import { runSqlCommand, type SqlCommandContext } from "./dot_commands.ts";
import { sqlPrompt } from "./prompt.ts";
import { sqlSession } from "./session.ts";
import { splitSql } from "./split.ts";

interface DbshellFlags extends DatabaseFlags {
  readonly command?: string | undefined;
}

/** `browsergrid dbshell`: a prompt for SQL; statements of an option or a pipe. */
export function dbshellCommand(output: Output): Command {
  const command = withDatabaseOptions(new Command("dbshell"))
    .description("Open a prompt for SQL on the database, also a remote one")
    .option("-c, --command <sql>", "run this and end")
    .addHelpText(
      "after",
      examples(
        [
          "dbshell",
          'dbshell -c "SELECT status, count(*) FROM sessions GROUP BY status"',
          "dbshell --json < report.sql",
          "dbshell --database-url libsql://grid.example",
        ],
        `At the prompt: .tables, .schema [TABLE], .help, .quit. An error ends a pipe
with code 1, not the prompt.
The token of a remote database comes from BROWSERGRID_DATABASE_AUTH_TOKEN.`,
      ),
    );
  command.action(() => runDbshell(command.opts() as DbshellFlags, output)); // The options above.
  return command as unknown as Command; // Without the types of its own options.
}

async function runDbshell(flags: DbshellFlags, output: Output): Promise<void> {
  const settings = await databaseSettings(flags, output);
  using db = await openExisting(settings);
  const session = sqlSession(db.client, { output, json: !!flags.json });
  const context = { client: db.client, session, output };
  const isPrompt = flags.command === undefined && Deno.stdin.isTerminal();
  if (isPrompt) {
    const title = shownUrl(resolveDatabaseUrl(settings));
    return await sqlPrompt({ ...context, title });
  }
  const sql = flags.command ?? await new Response(Deno.stdin.readable).text();
  await runScript(sql, context);
}

/** Runs all of `text`: SQL, and lines with dot commands between statements. @throws {Error} The first that fails. */
async function runScript(
  text: string,
  context: SqlCommandContext,
): Promise<void> {
  let pending = "";
  for (const line of text.split("\n")) {
    if (pending === "" && line.trimStart().startsWith(".")) {
      if (!await runSqlCommand(line, context)) return;
      continue;
    }
    const { statements, rest } = splitSql(`${pending}${line}\n`);
    for (const statement of statements) await context.session.run(statement);
    pending = rest;
  }
  if (pending.trim() !== "") await context.session.run(pending.trim());
  if (context.session.isCollecting) {
    throw new Error(
      "Cannot end here: BEGIN has no COMMIT, so nothing after it was run",
    );
  }
}
