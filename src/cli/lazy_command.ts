import { Argument, Command as CommanderCommand } from "commander";
import type { z } from "zod";
import type { Command, CommandContext } from "./command.ts";
import { helpCommand } from "./help_command.ts";

/** Commander's help command covers only the first level. */
export const NO_HELP_COMMAND = false;

/** Creates the {@linkcode LazyCommand} of a declaration. */
export interface LazyCommandOptions {
  readonly context: CommandContext;
  /** Words that call the parent of the command. */
  readonly path: readonly string[];
  /** Receives the exit code of the command that has run. */
  readonly onExit: (code: number) => void;
}

/**
 * A declared command as commander runs it. Its subcommands and options are declared when it is run or its help is
 * rendered.
 */
export class LazyCommand extends CommanderCommand {
  readonly #command: Command;
  readonly #options: LazyCommandOptions;
  #isLoaded = false;
  #schema: z.ZodObject | undefined;

  constructor(
    command: Command,
    parent: CommanderCommand,
    options: LazyCommandOptions,
  ) {
    super(command.name);
    this.#command = command;
    this.#options = options;
    this.copyInheritedSettings(parent);
    this.helpCommand(NO_HELP_COMMAND);
    this.description(command.description).aliases(command.aliases ?? []);
    for (const argument of declareArguments(command)) {
      this.addArgument(argument);
    }
    this.addHelpText("after", () => renderExamples(command));
    this.hook("preSubcommand", loadCommand);
    if (command.run) this.action(() => this.#run());
  }

  /** True if the command cannot run without a subcommand. */
  get isGroup(): boolean {
    return this.#command.run === undefined;
  }

  /** Returns the line of the command in the help of its parent. */
  get term(): string {
    return [
      [this.name(), ...this.aliases()].join("|"),
      ...(this.isGroup ? [] : ["[options]"]),
      ...this.registeredArguments.map((argument) => {
        const name = argument.name() + (argument.variadic ? "..." : "");
        return argument.required ? `<${name}>` : `[${name}]`;
      }),
    ].join(" ");
  }

  /** Declares the subcommands and the options of the command, and those of its parents. */
  async load(): Promise<void> {
    await loadCommand(this, this.parent);
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    await this.#addChildren();
    if (!this.isGroup) await this.#addOptions();
  }

  async #addChildren(): Promise<void> {
    const { name, defaultCommand } = this.#command;
    const path = [...this.#options.path, name];
    for (const child of await this.#listChildren()) {
      const options = { ...this.#options, path };
      this.addCommand(new LazyCommand(child, this, options), {
        isDefault: child.name === defaultCommand,
      });
    }
  }

  async #addOptions(): Promise<void> {
    const schema = await this.#command.options?.();
    if (schema) {
      const { declareOptions } = await import("./options/schema_options.ts");
      for (const option of declareOptions(schema)) {
        const isTaken = this.options.some(({ long }) => long === option.long);
        if (!isTaken) this.addOption(option);
      }
    }
    if (!schema || !("debug" in schema.shape)) {
      this.option("--debug", "show where an error came from");
    }
    this.#schema = schema;
  }

  /** Returns the subcommands; of a command that cannot run without one, with a help command. */
  async #listChildren(): Promise<readonly Command[]> {
    const { name } = this.#command;
    const commands = await this.#command.commands?.() ?? [];
    const [first] = commands;
    if (!this.isGroup || !first) return commands;
    const help = {
      parent: this,
      path: `${[...this.#options.path, name].join(" ")} `,
      example: first.name,
      load: (command: CommanderCommand) => loadCommand(this, command),
    };
    return [...commands, helpCommand(help)];
  }

  async #run(): Promise<void> {
    const { context, onExit } = this.#options;
    const input = { ...this.#readArguments(), ...await this.#parseOptions() };
    onExit(await this.#command.run?.(input, context) ?? 0);
  }

  #readArguments(): Record<string, unknown> {
    const types = Object.entries(this.#command.arguments ?? {});
    return Object.fromEntries(
      types.map((
        [name, type],
        at,
      ) => [name, type.read(this.processedArgs[at])]),
    );
  }

  async #parseOptions(): Promise<Record<string, unknown>> {
    if (!this.#schema) return {};
    const { parseOptions } = await import("./options/schema_options.ts");
    return parseOptions(this.#schema, this.opts());
  }
}

/** Declares the options of `command` before commander parses them. */
export async function loadCommand(
  _parent: CommanderCommand,
  command: CommanderCommand | null,
): Promise<void> {
  if (command instanceof LazyCommand) await command.load();
}

function declareArguments(command: Command): readonly Argument[] {
  return Object.entries(command.arguments ?? {}).map(([name, type]) => {
    const text = type.isList ? `${name}...` : name;
    const argument = new Argument(
      type.isOptional ? `[${text}]` : `<${text}>`,
      type.description,
    );
    return type.choices ? argument.choices([...type.choices]) : argument;
  });
}

function renderExamples({ examples = [], notes, footer }: Command): string {
  if (examples.length === 0) return "";
  const lines = examples.map((line) => `  browsergrid ${line}`);
  return [
    ...(notes === undefined ? [] : ["", notes]),
    "",
    "Examples:",
    ...lines,
    ...(footer === undefined ? [] : ["", footer]),
  ].join("\n");
}
