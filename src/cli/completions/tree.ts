import type { Command, Option } from "commander";
import { LazyCommand } from "../lazy_command.ts";
import { NAMED, type NamedRecord } from "./complete_command.ts";

/** The kind of value that follows an option. */
export type ValueKind =
  | { readonly kind: "file" | "folder" | "text" | NamedRecord }
  | { readonly kind: "choice"; readonly choices: readonly string[] };

/** An option as a shell completes it. */
export interface CompletionOption {
  /** `--port`, `-c`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Absent if it takes no value. */
  readonly value?: ValueKind;
}

/** A command as a shell completes it. */
export interface CompletionNode {
  /** Words after the program's name, each with a blank before it; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly {
    readonly name: string;
    readonly description: string;
  }[];
  readonly options: readonly CompletionOption[];
  /** The words that its first argument may be, if they are known. */
  readonly words: readonly string[];
  /** Kind of record that the arguments name, if the server completes them. */
  readonly named?: NamedRecord;
}

/** Lists the commands of the tree, each also under its aliases. */
export async function listCompletions(
  command: Command,
  path = "",
): Promise<readonly CompletionNode[]> {
  if (command instanceof LazyCommand) await command.load();
  const nodes = [toNode(command, path)];
  for (const child of command.commands) {
    for (const name of listNames(child)) {
      nodes.push(...await listCompletions(child, `${path} ${name}`));
    }
  }
  return nodes;
}

function listNames(command: Command): readonly string[] {
  return [command.name(), ...command.aliases()];
}

function toNode(command: Command, path: string): CompletionNode {
  const help = command.createHelp();
  const named = findNamed(command.registeredArguments[0]?.name() ?? "");
  return {
    path,
    commands: help.visibleCommands(command).flatMap((child) =>
      listNames(child).map((name) => ({
        name,
        description: firstLine(child.description()),
      }))
    ),
    options: help.visibleOptions(command).map(toOption),
    words: command.registeredArguments[0]?.argChoices ?? [],
    ...(named ? { named } : {}),
  };
}

function toOption(option: Option): CompletionOption {
  const { short, long, description, required, optional } = option;
  const flags = [long, short].filter((flag) => flag !== undefined);
  const completed = { flags, description: firstLine(description) };
  return required || optional
    ? { ...completed, value: findValueKind(option) }
    : completed;
}

function findValueKind({ argChoices, flags }: Option): ValueKind {
  if (argChoices) return { kind: "choice", choices: argChoices };
  if (/[<[]file\b/.test(flags)) return { kind: "file" };
  if (/[<[]folder\b/.test(flags)) return { kind: "folder" };
  const [, name = ""] = /^--(?:work-)?(pool|worker)(?:-id)? /.exec(flags) ?? [];
  return { kind: findNamed(name) ?? "text" };
}

/** Returns the kind of record that an argument called `name` refers to. */
function findNamed(name: string): NamedRecord | undefined {
  return NAMED.find((each) => each === `${name}s`);
}

/** Renders the paths of all commands as patterns of a shell's `case`. */
export function renderPathPatterns(nodes: readonly CompletionNode[]): string {
  return nodes.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`)
    .join("|");
}

/** Renders the value of an option for a shell's function: its words or its kind. */
export function renderValueKind(value: ValueKind): string {
  return value.kind === "choice" ? value.choices.join(" ") : value.kind;
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
