import type { Command, Option } from "@commander-js/extra-typings";
import { NAMED, type Named } from "./complete_command.ts";

/** What may follow an option that takes a value. */
export type ValueKind =
  | { readonly kind: "file" | "folder" | "text" | Named }
  | { readonly kind: "choice"; readonly choices: readonly string[] };

/** One option as a shell completes it. */
export interface CompletionOption {
  /** `--port`, `-c`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Absent: it takes no value. */
  readonly value?: ValueKind;
}

/** One command as a shell completes it. */
export interface CompletionNode {
  /** Words after the program's name, each with a blank before it; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly {
    readonly name: string;
    readonly description: string;
  }[];
  readonly options: readonly CompletionOption[];
  /** What its first argument may be, if that is known. */
  readonly words: readonly string[];
  /** Kind of record that the arguments name, if the server completes them. */
  readonly named?: Named;
}

/** Every command of the tree, each also under its aliases. */
export function completionTree(
  command: Command,
  path = "",
): readonly CompletionNode[] {
  const children = command.commands.map((each) => each as Command); // Commander's own list has no options' types.
  return [
    nodeOf(command, path),
    ...children.flatMap((child) =>
      namesOf(child).flatMap((name) => completionTree(child, `${path} ${name}`))
    ),
  ];
}

function namesOf(command: Command): readonly string[] {
  return [command.name(), ...command.aliases()];
}

function nodeOf(command: Command, path: string): CompletionNode {
  const help = command.createHelp();
  const named = namedBy(command.registeredArguments[0]?.name() ?? "");
  return {
    path,
    commands: help.visibleCommands(command).flatMap((each) =>
      [each.name(), ...each.aliases()].map((name) => ({
        name,
        description: firstLine(each.description()),
      }))
    ),
    options: help.visibleOptions(command).map(optionOf),
    words: command.registeredArguments[0]?.argChoices ?? [],
    ...(named ? { named } : {}),
  };
}

function optionOf(option: Option): CompletionOption {
  const { short, long, description, required, optional } = option;
  const flags = [long, short].filter((flag) => flag !== undefined);
  const shown = { flags, description: firstLine(description) };
  return required || optional ? { ...shown, value: valueOf(option) } : shown;
}

function valueOf({ argChoices, flags }: Option): ValueKind {
  if (argChoices) return { kind: "choice", choices: argChoices };
  if (/[<[]file\b/.test(flags)) return { kind: "file" };
  if (/[<[]folder\b/.test(flags)) return { kind: "folder" };
  const [, name = ""] = /^--(?:work-)?(pool|worker)(?:-id)? /.exec(flags) ?? [];
  return { kind: namedBy(name) ?? "text" };
}

/** Returns the kind of record that an argument called `name` refers to. */
function namedBy(name: string): Named | undefined {
  return NAMED.find((each) => each === `${name}s`);
}

/** The paths of all commands as patterns of a shell's `case`. */
export function pathPatterns(nodes: readonly CompletionNode[]): string {
  return nodes.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`)
    .join("|");
}

/** What a shell's function answers of an option's value: its words, or what kind it is. */
export function valueAnswer(value: ValueKind): string {
  return value.kind === "choice" ? value.choices.join(" ") : value.kind;
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
