import { Command } from "@commander-js/extra-typings";
import { inspect } from "node:util";
import { ApiError } from "../../client/api_error.ts";
import { settingsFrom } from "../config.ts";
import { examples } from "../help.ts";
import type { Output } from "../output.ts";
import {
  type DatabaseFlags,
  withDatabaseOptions,
} from "../options/database_flags.ts";
import { shellValues } from "./values.ts";

interface ShellFlags extends DatabaseFlags {
  readonly eval?: string | undefined;
  readonly apiUrl?: string | undefined;
  readonly apiKey?: string | undefined;
}

const WELCOME = `settings   what is in force here; secrets are not shown
api        client of the server: await api.listPools(), api.createSession({ … })
db         the database: await db.query("SELECT …"), or
           await db.execute("UPDATE …", [value])
await works everywhere. .help for help, Ctrl+D to leave`;

/** `browsergrid shell`: a prompt for JavaScript; code of an option or a pipe. */
export function shellCommand(output: Output): Command {
  const command = withDatabaseOptions(new Command("shell"))
    .description(
      "Open a prompt for JavaScript with settings, database and API client",
    )
    .option("-e, --eval <code>", "run this, print its value and end")
    .option("--api-url <url>", "the server (http://127.0.0.1:8765)")
    .option("--api-key <key>", "key of the server")
    .addHelpText(
      "after",
      examples(
        [
          "shell",
          "shell --eval 'await api.listPools()'",
          `shell --json --eval 'await db.query("SELECT status, count(*) AS n FROM sessions GROUP BY status")'`,
          "shell < script.js",
        ],
        `At hand:\n${WELCOME}\n\nAn error ends a pipe with code 1, not the prompt.`,
      ),
    );
  command.action(() => runShell(command.opts() as ShellFlags, output)); // The options above.
  return command as unknown as Command; // Without the types of its own options.
}

async function runShell(flags: ShellFlags, output: Output): Promise<void> {
  const settings = await settingsFrom(
    {
      api_url: flags.apiUrl,
      api_key: flags.apiKey,
      database_url: flags.databaseUrl,
      data_dir: flags.dataDir,
    },
    flags,
    output,
  );
  using values = shellValues(settings);
  // The parser and Node's prompt are not loaded for the other commands.
  const { shellScope } = await import("./scope.ts");
  const scope = shellScope({ ...values.names });
  if (flags.eval === undefined && Deno.stdin.isTerminal()) {
    output.print(WELCOME);
    const { shellPrompt } = await import("./prompt.ts");
    const dataDir = settings.data_dir;
    return await shellPrompt({ scope, dataDir, describe });
  }
  const code = flags.eval ?? await new Response(Deno.stdin.readable).text();
  const value = await scope.evaluate(code).catch((error) => {
    throw error instanceof Error ? error : new Error(inspect(error));
  });
  if (flags.json) output.json(value ?? null);
  else if (value !== undefined) output.print(shown(value));
}

/** A result for people: text as it is. */
function shown(value: unknown): string {
  return typeof value === "string" ? value : inspect(value, { depth: 8 });
}

/** One line for what the grid refused; for a mistake in the code, where it is. */
function describe(error: unknown): string {
  if (error instanceof ApiError) return `${error.message} [${error.code}]`;
  return error instanceof Error
    ? `${error.name}: ${error.message}`
    : inspect(error);
}
