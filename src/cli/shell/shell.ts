import { inspect } from "node:util";
import { ApiError } from "../../client/api_error.ts";
import { resolveSettings } from "../config.ts";
import type {
  ClientCommandOptions,
  DatabaseCommandOptions,
} from "../options/shared_options.ts";
import type { Output } from "../output.ts";
import { ShellScope } from "./scope.ts";
import { ShellValues } from "./values.ts";
import { WELCOME } from "./welcome.ts";

/** Options of `browsergrid shell`. */
export interface ShellOptions
  extends ClientCommandOptions, DatabaseCommandOptions {
  readonly eval?: string | undefined;
}

/** Runs the code of the option or of stdin; without either, prompts for it. */
export async function runShell(
  options: ShellOptions,
  output: Output,
): Promise<void> {
  const { api_url, api_key, database_url, data_dir } = options;
  const settings = await resolveSettings(
    { api_url, api_key, database_url, data_dir },
    options,
    output,
  );
  using values = new ShellValues(settings);
  const scope = new ShellScope(values.names);
  if (options.eval === undefined && Deno.stdin.isTerminal()) {
    output.print(WELCOME);
    const { promptForCode } = await import("./prompt.ts");
    const dataDir = settings.data_dir;
    return await promptForCode({ scope, dataDir, renderError });
  }
  const code = options.eval ?? await new Response(Deno.stdin.readable).text();
  const value = await scope.evaluate(code).catch((error) => {
    throw error instanceof Error ? error : new Error(inspect(error));
  });
  if (options.json) output.json(value ?? null);
  else if (value !== undefined) output.print(renderValue(value));
}

function renderValue(value: unknown): string {
  return typeof value === "string" ? value : inspect(value, { depth: 8 });
}

/** Renders a problem of the server without its class, and other errors with it. */
function renderError(error: unknown): string {
  if (error instanceof ApiError) return `${error.message} [${error.code}]`;
  return error instanceof Error
    ? `${error.name}: ${error.message}`
    : inspect(error);
}
