import { Argument, Command as CommanderCommand } from "commander";
import { z } from "@hono/zod-openapi";
import type { Command, CommandContext } from "./command.ts";
import { helpCommand } from "./help_command.ts";
import { declareOptions, parseOptions } from "./options/schema_options.ts";

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

/** A declared command as commander runs it. Its options are declared when it is run or its help is rendered. */
export class LazyCommand extends CommanderCommand {
  readonly #command: Command;
  readonly #options: LazyCommandOptions;
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
    for (const child of this.#listChildren()) {
      const path = [...options.path, command.name];
      this.addCommand(new LazyCommand(child, this, { ...options, path }), {
        isDefault: child.name === command.defaultCommand,
      });
    }
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

  /** Declares the options of the command and of its parents. */
  async load(): Promise<void> {
    await loadCommand(this, this.parent);
    if (this.#schema || this.isGroup) return;
    this.#schema = await this.#command.options?.() ?? z.object({});
    for (const option of declareOptions(this.#schema)) {
      const isTaken = this.options.some(({ long }) => long === option.long);
      if (!isTaken) this.addOption(option);
    }
    if (!("debug" in this.#schema.shape)) {
      this.option("--debug", "show where an error came from");
    }
  }

  /** Returns the subcommands; of a command that cannot run without one, with a help command. */
  #listChildren(): readonly Command[] {
    const { name, commands = [] } = this.#command;
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
    const names = this.registeredArguments.map((argument) => argument.name());
    const values = names.map((name, at) => [name, this.processedArgs[at]]);
    const input = {
      ...this.#command.arguments?.().parse(Object.fromEntries(values)),
      ...parseOptions(this.#schema ?? z.object({}), this.opts()),
    };
    onExit(await this.#command.run?.(input, context) ?? 0);
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
  const shape = command.arguments?.().shape ?? {};
  return Object.entries(shape).map(([name, schema]) => {
    const isOptional = z.safeParse(schema, undefined).success;
    const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
    const text = inner instanceof z.ZodArray ? `${name}...` : name;
    const argument = new Argument(
      isOptional ? `[${text}]` : `<${text}>`,
      z.globalRegistry.get(schema)?.description ?? "",
    );
    return inner instanceof z.ZodEnum
      ? argument.choices(inner.options.map(String))
      : argument;
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
