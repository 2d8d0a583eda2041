import assert from "node:assert/strict";
import { Command as CommanderCommand, CommanderError } from "commander";
import { z } from "@hono/zod-openapi";
import {
  type Command,
  type CommandContext,
  defineCommand,
} from "../../src/cli/command.ts";
import { LazyCommand, loadCommand } from "../../src/cli/lazy_command.ts";
import { choice, word, words } from "../../src/cli/options/argument_types.ts";
import { flag, text, wholeNumber } from "../../src/cli/options/option_types.ts";
import { silent } from "../support/silent_output.ts";

/** A program that has only these commands. */
class Program {
  readonly printed: string[] = [];
  readonly exitCodes: number[] = [];
  readonly root: CommanderCommand;

  constructor(...commands: readonly Command[]) {
    const write = (line: string) => void this.printed.push(line);
    const context: CommandContext = {
      output: { ...silent, print: write },
      commandProviders: [],
      loadProviders: () => Promise.resolve([]),
      loadInstalled: () => Promise.reject(new Error("Not needed")),
    };
    this.root = new CommanderCommand("browsergrid")
      .exitOverride()
      .enablePositionalOptions()
      .configureOutput({ writeOut: write, writeErr: write })
      .hook("preSubcommand", loadCommand);
    for (const command of commands) {
      this.root.addCommand(
        new LazyCommand(command, this.root, {
          context,
          path: [],
          onExit: (code) => void this.exitCodes.push(code),
        }),
      );
    }
  }

  async run(...args: readonly string[]): Promise<string> {
    this.printed.length = 0;
    try {
      await this.root.parseAsync([...args], { from: "user" });
    } catch (error) {
      // Help ends the program by an error too.
      if (!(error instanceof CommanderError)) throw error;
    }
    return this.printed.join("\n");
  }
}

/** Prints its input as JSON. Counts how often its options are declared. */
function echoCommand(name: string): { command: Command; declared(): number } {
  let declared = 0;
  const command = defineCommand({
    name,
    description: `Print the input of ${name}`,
    arguments: { pool: word("a pool"), session: words("sessions") },
    options: () => {
      declared++;
      return z.object({
        force: flag("--force", "at once"),
        worker_name: text("--worker-name <name>", "a name"),
        capacity: wholeNumber().default(5).meta({
          flags: "--capacity <number>",
          description: "sessions",
        }),
      });
    },
    examples: [`${name} here`],
    notes: "A note.",
    run(input, { output }) {
      output.print(JSON.stringify(input));
      return input.force ? 3 : undefined;
    },
  });
  return { command, declared: () => declared };
}

Deno.test("a command receives its arguments and options by name, with defaults, and its result is the exit code", async () => {
  const program = new Program(echoCommand("echo").command);
  assert.deepEqual(
    JSON.parse(await program.run("echo", "a", "b", "c", "--worker-name", "w")),
    { pool: "a", session: ["b", "c"], worker_name: "w", capacity: 5 },
  );
  assert.deepEqual(
    JSON.parse(await program.run("echo", "a", "--force", "--capacity", "2")),
    { pool: "a", session: [], force: true, capacity: 2 },
  );
  assert.deepEqual(program.exitCodes, [0, 3]);
});

Deno.test("options are declared only for the command that is called, and once", async () => {
  const called = echoCommand("called");
  const other = echoCommand("other");
  const program = new Program(called.command, other.command);
  await program.run("--help");
  assert.deepEqual([called.declared(), other.declared()], [0, 0]);
  await program.run("called", "a");
  const help = await program.run("called", "--help");
  assert.match(help, /--capacity <number> +sessions \(default: 5\)/);
  assert.deepEqual([called.declared(), other.declared()], [1, 0]);
});

Deno.test("options may be loaded by a promise, also those of a parent", async () => {
  const child = defineCommand({
    name: "list",
    description: "List",
    options: () => Promise.resolve(z.object({ json: flag("--json", "JSON") })),
    run: ({ json }, { output }) => output.print(`json ${json}`),
  });
  const parent = defineCommand({
    name: "worker",
    description: "Work",
    options: () => Promise.resolve(z.object({ json: flag("--json", "JSON") })),
    commands: () => [child],
    run: ({ json }, { output }) => output.print(`parent ${json}`),
  });
  const program = new Program(parent);
  assert.equal(await program.run("worker", "list", "--json"), "json true");
  assert.equal(await program.run("worker", "--json"), "parent true");
});

Deno.test("help shows arguments, notes and examples, and lists commands with their arguments", async () => {
  const { command } = echoCommand("echo");
  const group = defineCommand({
    name: "pool",
    description: "Pools",
    examples: ["pool echo here"],
    commands: () => [command],
  });
  const program = new Program(group);
  const root = await program.run("--help");
  assert.match(root, /^ {2}pool +Pools$/m);
  const listed = await program.run("pool", "--help");
  assert.match(listed, /Examples:\n {2}browsergrid pool echo here/);
  const help = await program.run("pool", "echo", "--help");
  assert.match(help, /^Usage: .*echo \[options\] <pool> \[session\.\.\.\]$/m);
  assert.match(help, /\n\nA note\.\n\nExamples:\n {2}browsergrid echo here/);
  assert.match(help, /--debug +show where an error came from/);
});

Deno.test("a group has a help command for its commands, and a command that runs has none", async () => {
  const { command } = echoCommand("echo");
  const group = defineCommand({
    name: "pool",
    description: "Pools",
    commands: () => [command],
  });
  const program = new Program(group);
  const help = await program.run("pool", "help", "echo");
  assert.equal(help, await program.run("pool", "echo", "--help"));
  assert.match(help, /--worker-name <name>/);
  const [pool] = program.root.commands;
  assert.deepEqual(
    pool?.commands.map((each) => each.name()),
    ["echo", "help"],
  );
  assert.deepEqual(pool?.commands[0]?.commands, []);
});

Deno.test("a group runs its default command if none is named", async () => {
  const group = defineCommand({
    name: "migrate",
    description: "Migrate",
    defaultCommand: "up",
    commands: () =>
      ["up", "status"].map((name) =>
        defineCommand({
          name,
          description: name,
          run: (_, { output }) => output.print(`ran ${name}`),
        })
      ),
  });
  const program = new Program(group);
  assert.equal(await program.run("migrate"), "ran up");
  assert.equal(await program.run("migrate", "status"), "ran status");
});

Deno.test("an argument with an enumeration accepts only its words", async () => {
  const shell = defineCommand({
    name: "completions",
    description: "Completions",
    arguments: { shell: choice(["bash", "zsh"], "which one") },
    run: ({ shell }, { output }) => output.print(shell),
  });
  const program = new Program(shell);
  assert.equal(await program.run("completions", "zsh"), "zsh");
  assert.match(await program.run("completions", "sh"), /choices are bash, zsh/);
});
