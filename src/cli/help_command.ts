import type { Command as CommanderCommand } from "commander";
import { findNearest } from "../core/nearest.ts";
import { type Command, defineCommand } from "./command.ts";
import { UsageError } from "./exit.ts";
import { words } from "./options/argument_types.ts";

/** The command whose subcommands a help command covers. */
export interface HelpOptions {
  readonly parent: CommanderCommand;
  /** Words that call the parent, with a space after them; empty for the program. */
  readonly path: string;
  /** Arguments of an example. */
  readonly example: string;
  /** Declares the options of a command. */
  readonly load: (command: CommanderCommand) => Promise<void>;
}

/** Declares a command `help [command...]`, which prints the help of a command at any depth below `parent`. */
export function helpCommand(
  { parent, path, example, load }: HelpOptions,
): Command {
  return defineCommand({
    name: "help",
    description: "Show the help of a command",
    arguments: { command: words(`such as ${example}`) },
    examples: [`${path}help`, `${path}help ${example}`],
    async run({ command: names }) {
      let found = parent;
      for (const name of names) {
        found = findChild(found, name);
        await load(found);
      }
      found.outputHelp();
    },
  });
}

function findChild(
  { commands }: CommanderCommand,
  name: string,
): CommanderCommand {
  const child = commands.find((command) =>
    command.name() === name || command.aliases().includes(name)
  );
  if (child) return child;
  const names = commands.flatMap((each) => [each.name(), ...each.aliases()]);
  const near = findNearest(name, names);
  throw new UsageError(
    `Cannot show the help of "${name}": there is no such command${
      near === undefined ? "" : `, did you mean "${near}"?`
    }${
      names.length > 0 && near === undefined
        ? `, expected one of ${names.join(", ")}`
        : ""
    }`,
  );
}
