import { Command, CommanderError } from "@commander-js/extra-typings";
import { ApiError } from "../client/api_error.ts";
import { describeError } from "../core/log.ts";
import { checkCommand } from "./check.ts";
import {
  createdbCommand,
  makemigrationsCommand,
  migrateCommand,
} from "./migrate.ts";
import { keyCommand } from "./key.ts";
import { type Output, terminal } from "./output.ts";
import { loadEarly, PLUGIN_FLAG } from "./plugin_flags.ts";
import type { Installed } from "./plugins.ts";
import { poolCommand } from "./pool.ts";
import { providerCommands } from "./provider_commands.ts";
import { serveCommand } from "./serve.ts";
import { sessionCommand } from "./session.ts";
import { settingsCommand } from "./settings_command.ts";
import { VERSION } from "./version.ts";
import { workerCommand } from "./worker.ts";

/** Exit codes: done, failed, used wrongly. */
const DONE = 0;
const FAILED = 1;
const USAGE = 2;

/** Runs a command line. Resolves with the exit code. */
export async function run(
  args: readonly string[],
  output: Output = terminal,
): Promise<number> {
  const code = { value: DONE };
  try {
    const { rest, installed } = await loadEarly(args, output);
    const program = createProgram(output, code, installed);
    await program.parseAsync([...rest], { from: "user" });
    return code.value;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? DONE : USAGE;
    }
    output.error(messageOf(error));
    if (args.includes("--debug")) output.error(describeStack(error));
    return FAILED;
  }
}

function createProgram(
  output: Output,
  code: { value: number },
  installed: Installed,
): Command {
  const program = new Command("browsergrid")
    .description("A self-hosted grid for browser sessions")
    .version(VERSION)
    .option(
      PLUGIN_FLAG,
      "load apps, middleware and providers from a path, npm:NAME or an installed package; may be repeated",
    )
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("(add --help for what is accepted)")
    .showSuggestionAfterError()
    // "worker" and "worker list" have options of the same names.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => output.print(text.trimEnd()),
      writeErr: (text) => output.error(text.trimEnd()),
    })
    .addHelpText(
      "after",
      `
Examples:
  browsergrid serve --with-worker        a whole grid on this machine
  browsergrid pool create docker --name containers
  browsergrid worker --work-pool-id containers
  browsergrid session create --wait

Every setting is also a variable: see "browsergrid settings".
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by a second signal.`,
    )
    .exitOverride();
  const commands = [
    serveCommand(output, code, installed),
    workerCommand(output, code, installed.providers),
    poolCommand(output, installed.providers),
    sessionCommand(output),
    keyCommand(output, installed),
    migrateCommand(output, installed.apps),
    createdbCommand(output, installed.apps),
    makemigrationsCommand(output),
    checkCommand(output, code, installed),
    settingsCommand(output),
    ...providerCommands(installed.providers, output),
  ];
  for (const command of commands) program.addCommand(inherit(command, program));
  return program;
}

/** Settings of the root that commander gives only to commands made by it. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child as Command, command); // Commander's own list has no options' types.
  return command;
}

function messageOf(error: unknown): string {
  if (error instanceof ApiError) {
    return `Error: ${error.message} [${error.code}]`;
  }
  return `Error: ${error instanceof Error ? error.message : String(error)}`;
}

function describeStack(error: unknown): string {
  return error instanceof Error && error.stack
    ? error.stack
    : describeError(error);
}
