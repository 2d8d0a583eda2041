import { Command, CommanderError, Option } from "@commander-js/extra-typings";
import { ApiError } from "../client/api_error.ts";
import { unwrapQueryError } from "../core/errors.ts";
import { describeError, toMessage } from "../core/log.ts";
import { findNearest } from "../core/nearest.ts";
import { SettingsError } from "../core/settings.ts";
import { checkCommand } from "./check/check.ts";
import { completeCommand } from "./completions/complete_command.ts";
import { completionsCommand } from "./completions/completions.ts";
import { dbshellCommand } from "./dbshell/dbshell.ts";
import {
  examples,
  EXIT,
  EXIT_CODES,
  InterruptedError,
  UsageError,
} from "./help.ts";
import { helpCommand } from "./help_command.ts";
import {
  createdbCommand,
  makemigrationsCommand,
  migrateCommand,
} from "./migrate.ts";
import { keyCommand } from "./key/key.ts";
import { type Output, terminal } from "./output.ts";
import { loadEarly, PLUGIN_FLAG } from "./options/plugin_flags.ts";
import type { Installed } from "./plugins.ts";
import { poolCommand } from "./pool/pool.ts";
import { providerCommands } from "./provider_commands.ts";
import { serveCommand } from "./serve.ts";
import { sessionCommand } from "./session/session.ts";
import { shellCommand } from "./shell/shell.ts";
import { settingsCommand } from "./settings_command.ts";
import { VERSION } from "./version.ts";
import { workerCommand } from "./worker/worker.ts";

/** Commander's own help command shows only the first level. */
const NO_HELP_COMMAND = false;

/** Runs a command line. Resolves with the exit code. */
export async function run(
  args: readonly string[],
  output: Output = terminal,
): Promise<number> {
  const code = { value: EXIT.done as number };
  try {
    const { rest, installed } = await loadEarly(args, output);
    const program = createProgram(output, code, installed);
    await program.parseAsync([...rest], { from: "user" });
    return code.value;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
    }
    const error = unwrapQueryError(thrown);
    output.error(lineOf(error));
    if (args.includes("--debug")) output.error(describeStack(error));
    return codeOf(error);
  }
}

/** The whole tree of commands. */
export function createProgram(
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
      outputError: (text, write) => write(withNearOnly(text)),
    })
    .addHelpText(
      "after",
      `${
        examples([
          "serve --with-worker        a whole grid on this machine",
          "pool create docker --name containers",
          "worker --work-pool-id containers",
          "session create --wait",
          "check                      whether what a start needs is there",
        ])
      }

Every setting is also a variable: see "browsergrid settings".

${EXIT_CODES}`,
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
    dbshellCommand(output),
    shellCommand(output),
    checkCommand(output, code, installed),
    settingsCommand(output),
    completionsCommand(output),
    helpCommand(program as unknown as Command), // Drops the types of its options.
    ...providerCommands(installed.providers, output),
  ];
  program.helpCommand(NO_HELP_COMMAND);
  for (const command of commands) program.addCommand(inherit(command, program));
  program.addCommand(inherit(completeCommand(output), program), {
    hidden: true,
  });
  return program;
}

/** Settings of the root that commander gives only to commands made by it, and what every command has. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  const isDebuggable = command.commands.length > 0 ||
    command.options.some(({ long }) => long === "--debug");
  if (!isDebuggable) {
    command.addOption(new Option("--debug", "show where an error came from"));
  }
  for (const child of command.commands) inherit(child as Command, command); // Commander's own list has no options' types.
  return command;
}

/** Limits Commander's suggestions to names that differ in at most two letters. */
function withNearOnly(text: string): string {
  return text.replace(
    /'([^'\n]{1,100})'\n\(Did you mean (?:one of )?([^?\n]*)\?\)/,
    (_, word: string, names: string) => {
      const near = findNearest(word, names.split(", "));
      return near === undefined
        ? `'${word}'`
        : `'${word}'\n(Did you mean ${near}?)`;
    },
  );
}

function codeOf(error: unknown): number {
  if (error instanceof InterruptedError) return EXIT.interrupted;
  const isUsage = error instanceof UsageError || error instanceof SettingsError;
  return isUsage ? EXIT.usage : EXIT.failed;
}

function lineOf(error: unknown): string {
  if (error instanceof ApiError) {
    return `error: ${error.message} [${error.code}]`;
  }
  return `error: ${toMessage(error)}`;
}

function describeStack(error: unknown): string {
  return error instanceof Error && error.stack
    ? error.stack
    : describeError(error);
}
