/**
 * The option `--plugin`, which is read before the command line is parsed: the commands depend on it, because
 * `pool create` has one for each provider.
 *
 * @module
 */
import { CommanderError } from "commander";
import type { CommandContext } from "./command.ts";
import { resolvePluginNames } from "./config.ts";
import type { Output } from "./output.ts";
import { COMMAND_PROVIDERS } from "./provider_commands.ts";

/** The option in the help. */
export const PLUGIN_FLAG = "--plugin <module>";

/** The options that name plugins. */
export interface PluginFlags {
  readonly names: readonly string[];
  /** Configuration file, which may name plugins. */
  readonly config: string | undefined;
}

/**
 * Takes `--plugin` out of `args`.
 *
 * @throws {CommanderError} If an option has no value.
 */
export function takePluginFlags(
  args: readonly string[],
  output: Output,
): PluginFlags & { readonly rest: readonly string[] } {
  const rest: string[] = [];
  const names: string[] = [];
  let config: string | undefined;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--") {
      rest.push(...args.slice(at));
      break;
    }
    const [flag, attached] = splitFlag(arg);
    const value = attached ?? args[at + 1];
    if (flag === "--config") config = value;
    if (flag !== "--plugin") {
      rest.push(arg);
      continue;
    }
    if (value === undefined || value === "") throw rejectMissingValue(output);
    names.push(value);
    if (attached === undefined) at++;
  }
  return { rest, names, config };
}

/** Creates the context of a run. Apps and middleware are loaded only if plugins are named. */
export async function createContext(
  { names, config }: PluginFlags,
  output: Output,
): Promise<CommandContext> {
  const plugins = await resolvePluginNames(names, config);
  const loadInstalled = async () => {
    const { loadPlugins } = await import("./plugins.ts");
    return await loadPlugins(plugins);
  };
  if (plugins.length === 0) {
    return {
      output,
      commandProviders: COMMAND_PROVIDERS,
      loadProviders: async () =>
        (await import("../installed_providers.ts")).PROVIDERS,
      loadInstalled,
    };
  }
  const installed = await loadInstalled();
  return {
    output,
    commandProviders: installed.providers.filter(({ commands = [] }) =>
      commands.length > 0
    ),
    loadProviders: () => Promise.resolve(installed.providers),
    loadInstalled: () => Promise.resolve(installed),
  };
}

/** Splits `--flag=value`. */
function splitFlag(arg: string): readonly [string, string | undefined] {
  const at = arg.startsWith("--") ? arg.indexOf("=") : -1;
  return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}

/** Prints the error and returns it, as commander does. */
function rejectMissingValue(output: Output): CommanderError {
  const message = `error: option '${PLUGIN_FLAG}' argument missing`;
  output.error(message);
  return new CommanderError(1, "commander.optionMissingArgument", message);
}
