import { Command as CommanderCommand, CommanderError } from "commander";
import { findNearest } from "../core/nearest.ts";
import { backupCommand, restoreCommand } from "./backup/command.ts";
import { checkCommand } from "./check/command.ts";
import type { Command, CommandContext } from "./command.ts";
import { completeCommand } from "./completions/complete_command.ts";
import { completionsCommand } from "./completions/completions.ts";
import { dbshellCommand } from "./dbshell/command.ts";
import { eventsCommand } from "./events/command.ts";
import { EXIT, EXIT_CODES } from "./exit.ts";
import { helpCommand } from "./help_command.ts";
import { keyCommand } from "./key/command.ts";
import { LazyCommand, loadCommand, NO_HELP_COMMAND } from "./lazy_command.ts";
import {
  createdbCommand,
  makemigrationsCommand,
  migrateCommand,
} from "./migrate/command.ts";
import { type Output, terminal } from "./output.ts";
import {
  createContext,
  PLUGIN_FLAG,
  takePluginFlags,
} from "./plugin_option.ts";
import { poolCommand } from "./pool/command.ts";
import { providerCommands } from "./provider_commands.ts";
import { serveCommand } from "./serve/command.ts";
import { sessionCommand } from "./session/command.ts";
import { settingsCommand } from "./settings/command.ts";
import { shellCommand } from "./shell/command.ts";
import { VERSION } from "./version.ts";
import { webhookCommand } from "./webhook/command.ts";
import { workerCommand } from "./worker/command.ts";
import { MIN_COLUMNS } from "./wrap_text.ts";

const HELP = `
Examples:
  browsergrid serve --with-worker        a whole grid on this machine
  browsergrid pool create docker --name containers
  browsergrid worker --work-pool-id containers
  browsergrid session create --wait
  browsergrid check                      find out what a start is missing

Every setting is also a variable: see "browsergrid settings".

${EXIT_CODES}`;

/** Runs a command line. Resolves with the exit code. */
export async function run(
  args: readonly string[],
  output: Output = terminal,
): Promise<number> {
  try {
    const { rest, ...plugins } = takePluginFlags(args, output);
    const context = await createContext(plugins, output);
    let exitCode: number = EXIT.done;
    const program = createProgram(context, (code) => exitCode = code);
    await program.parseAsync([...rest], { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
    }
    const { reportError } = await import("./report_error.ts");
    return reportError(thrown, output, { stack: args.includes("--debug") });
  }
}

/** Creates the tree of commands. @param onExit Receives the exit code of the command that has run. */
export function createProgram(
  context: CommandContext,
  onExit: (code: number) => void = () => {},
): CommanderCommand {
  const { output } = context;
  const program = new CommanderCommand("browsergrid")
    .description("A self-hosted grid for browser sessions")
    .version(VERSION)
    .option(
      PLUGIN_FLAG,
      "load apps, middleware and providers from a path, npm:NAME or an installed package; may be repeated",
    )
    .configureHelp({
      showGlobalOptions: true,
      // By default, texts beside a long option are not wrapped.
      minWidthToWrap: MIN_COLUMNS,
      subcommandTerm: (command) =>
        command instanceof LazyCommand ? command.term : command.name(),
    })
    .showHelpAfterError("(add --help to see what is accepted)")
    .showSuggestionAfterError()
    // "worker" and "worker list" have options of the same names.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => output.print(text.trimEnd()),
      writeErr: (text) => output.error(text.trimEnd()),
      outputError: (text, write) => write(removeFarSuggestions(text)),
    })
    .addHelpText("after", HELP)
    .exitOverride()
    .hook("preSubcommand", loadCommand);
  program.helpCommand(NO_HELP_COMMAND);
  for (const command of listCommands(context, program)) {
    const options = { context, path: [], onExit };
    program.addCommand(new LazyCommand(command, program, options), {
      hidden: command.isHidden ?? false,
    });
  }
  return program;
}

function listCommands(
  context: CommandContext,
  program: CommanderCommand,
): readonly Command[] {
  return [
    serveCommand(context),
    workerCommand,
    poolCommand(context),
    sessionCommand,
    eventsCommand,
    webhookCommand,
    keyCommand,
    migrateCommand,
    createdbCommand,
    makemigrationsCommand,
    backupCommand,
    restoreCommand,
    dbshellCommand,
    shellCommand,
    checkCommand(context),
    settingsCommand,
    completionsCommand(program),
    helpCommand({
      parent: program,
      path: "",
      example: "pool create docker",
      load: (command) => loadCommand(program, command),
    }),
    ...providerCommands(context),
    completeCommand,
  ];
}

/** Limits Commander's suggestions to names that differ in at most two letters. */
function removeFarSuggestions(text: string): string {
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
