import type { z } from "zod";
import type { Provider } from "../core/provider.ts";
import type { App } from "../core/app.ts";
import type { Problems } from "../core/errors.ts";
import type { Middleware } from "../core/middleware.ts";
import type { ArgumentTypes } from "./options/argument_types.ts";
import type { Output } from "./output.ts";

/** The parts of this run of the program: those that are built in, then those of each plugin in turn. */
export interface Installed {
  readonly apps: readonly App[];
  readonly middleware: readonly Middleware[];
  readonly providers: readonly Provider[];
  /** Problem codes of plugins, without those of their apps. */
  readonly problems: Problems;
  /** Names of the plugins. */
  readonly plugins: readonly string[];
}

/** A provider with commands of its own. */
export type CommandProvider = Pick<Provider, "name" | "displayName">;

/** The program that runs a command. */
export interface CommandContext {
  readonly output: Output;
  /** Providers with commands. The help lists them without loading them. */
  readonly commandProviders: readonly CommandProvider[];
  /** Loads the providers: those that are built in, then those of plugins. */
  loadProviders(): Promise<readonly Provider[]>;
  /** Loads apps and middleware too, which most commands do not need. */
  loadInstalled(): Promise<Installed>;
}

/** The parsed members of a schema; of no schema, no members. */
type Values<S extends z.ZodObject> = [S] extends [never] ? unknown
  : z.output<S>;

/** The values of arguments; of no arguments, no members. */
type ArgumentValues<A extends ArgumentTypes> = [A] extends [never] ? unknown
  : { readonly [N in keyof A]: ReturnType<A[N]["read"]> };

/**
 * A command as it is declared.
 *
 * Declarations of the first level are light, because all of them are loaded at every start: `run`, `commands` and
 * `options` import what a command needs.
 */
export interface Command<
  A extends ArgumentTypes = ArgumentTypes,
  O extends z.ZodObject = z.ZodObject,
> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly description: string;
  readonly arguments?: A;
  /** Options, as `declareOptions` reads them. Called only if the command is run, or its options are listed. */
  readonly options?: () => O | Promise<O>;
  /** Command lines for the help, without the name of the program. Commands that users do not call have none. */
  readonly examples?: readonly string[];
  /** Text of the help above the examples. */
  readonly notes?: string;
  /** Text of the help below the examples. */
  readonly footer?: string;
  /** Subcommands. Called only if the command is run, or its help is rendered. */
  readonly commands?: () => readonly Command[] | Promise<readonly Command[]>;
  /** Name of the subcommand that runs if none is named. */
  readonly defaultCommand?: string;
  readonly isHidden?: boolean;
  /** Runs the command. Resolves with the exit code if it is not 0. */
  run?(
    input: ArgumentValues<A> & Values<O>,
    context: CommandContext,
  ): number | void | Promise<number | void>;
}

/** Declares a command, with the types of its arguments and options inferred. */
export function defineCommand<
  A extends ArgumentTypes = never,
  O extends z.ZodObject = never,
>(command: Command<A, O>): Command {
  return command;
}
