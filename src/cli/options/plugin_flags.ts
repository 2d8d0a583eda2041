import { CommanderError } from "@commander-js/extra-typings";
import { pluginNamesFrom } from "../config.ts";
import type { Output } from "../output.ts";
import { type Installed, loadPlugins } from "../plugins.ts";

/** The option as `--help` shows it. */
export const PLUGIN_FLAG = "--plugin <module>";

/** A command line without what had to be read before it could be understood. */
export interface EarlyArguments {
  readonly rest: readonly string[];
  readonly installed: Installed;
}

/**
 * Takes `--plugin` out of `args` and loads what it, or the setting `plugins`, names.
 *
 * The commands themselves depend on it: `pool create` has one for each provider.
 *
 * @throws {CommanderError} If an option has no value.
 */
export async function loadEarly(
  args: readonly string[],
  output: Output,
): Promise<EarlyArguments> {
  const { rest, names, config } = takeFlags(args, output);
  return {
    rest,
    installed: await loadPlugins(await pluginNamesFrom(names, config)),
  };
}

function takeFlags(args: readonly string[], output: Output) {
  const rest: string[] = [];
  const names: string[] = [];
  let config: string | undefined;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--") {
      rest.push(...args.slice(at));
      break;
    }
    const [flag, attached] = split(arg);
    const value = attached ?? args[at + 1];
    if (flag === "--config") config = value;
    if (flag !== "--plugin") {
      rest.push(arg);
      continue;
    }
    if (value === undefined || value === "") throw missingValue(output);
    names.push(value);
    if (attached === undefined) at++;
  }
  return { rest, names, config };
}

/** `--flag=value` in its parts. */
function split(arg: string): readonly [string, string | undefined] {
  const at = arg.startsWith("--") ? arg.indexOf("=") : -1;
  return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}

/** As commander refuses: it writes before it throws. */
function missingValue(output: Output): CommanderError {
  const message = `error: option '${PLUGIN_FLAG}' argument missing`;
  output.error(message);
  return new CommanderError(1, "commander.optionMissingArgument", message);
}
