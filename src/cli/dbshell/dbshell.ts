import { resolveDatabaseUrl } from "../../server/grid.ts";
import { openExisting, resolveDatabaseSettings } from "../database_file.ts";
import type { DatabaseCommandOptions } from "../options/shared_options.ts";
import type { Output } from "../output.ts";
import { redactDatabaseUrl } from "../redact_settings.ts";
import { runDotCommand, type SqlContext } from "./dot_commands.ts";
import { promptForSql } from "./prompt.ts";
import { SqlSession } from "./session.ts";
import { splitSql } from "./split.ts";

/** Options of `browsergrid dbshell`. */
export interface DbshellOptions extends DatabaseCommandOptions {
  readonly command?: string | undefined;
}

/** Runs the SQL of the option or of stdin; without either, prompts for it. */
export async function runDbshell(
  options: DbshellOptions,
  output: Output,
): Promise<void> {
  const settings = await resolveDatabaseSettings(options, output);
  using db = await openExisting(settings);
  const session = new SqlSession(db.client, {
    output,
    json: options.json ?? false,
  });
  const context = { client: db.client, session, output };
  if (options.command === undefined && Deno.stdin.isTerminal()) {
    const title = redactDatabaseUrl(resolveDatabaseUrl(settings));
    return await promptForSql({ ...context, title });
  }
  const sql = options.command ?? await new Response(Deno.stdin.readable).text();
  await runScript(sql, context);
}

/** Runs SQL with dot commands between the statements. @throws {Error} The first error. */
async function runScript(text: string, context: SqlContext): Promise<void> {
  let pending = "";
  for (const line of text.split("\n")) {
    if (pending === "" && line.trimStart().startsWith(".")) {
      if (!await runDotCommand(line, context)) return;
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
