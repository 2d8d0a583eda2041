import assert from "node:assert/strict";
import type { Command } from "commander";
import { LazyCommand } from "../../src/cli/lazy_command.ts";
import { createContext } from "../../src/cli/plugin_option.ts";
import { createProgram } from "../../src/cli/program.ts";
import { cli } from "../support/cli.ts";
import { silent } from "../support/silent_output.ts";

/** Commands of the predecessor's manager, pool tool and worker, and those that the design adds. */
const MUST_EXIST = [
  "runserver",
  "createdb",
  "makemigrations",
  "migrate",
  "dbshell",
  "shell",
  "check",
  "serve",
  "worker",
  "completions",
  "settings",
  ...["create", "list", "revoke"].map((name) => `key ${name}`),
  ...["up", "status", "make"].map((name) => `migrate ${name}`),
  "pool create docker",
  "pool create azure_container_instance",
  ...["list", "get", "update", "pause", "resume", "drain", "pressure"].map((
    name,
  ) => `pool ${name}`),
  ...["delete", "start-worker", "deploy-command"].map((name) => `pool ${name}`),
  ...["create", "list", "get", "events", "metrics", "logs"].map((name) =>
    `session ${name}`
  ),
  ...["refresh", "stop"].map((name) => `session ${name}`),
  ...["list", "get", "drain", "resume", "delete"].map((name) =>
    `worker ${name}`
  ),
];

/** Lists every command with the words that call it, and declares its options. */
async function listCommands(
  command: Command,
  path = "",
): Promise<[string, Command][]> {
  const found: [string, Command][] = [];
  for (const child of command.commands) {
    // Commands that shells call are hidden.
    if (child.name().startsWith("__")) continue;
    if (child instanceof LazyCommand) await child.load();
    for (const name of [child.name(), ...child.aliases()]) {
      const words = `${path} ${name}`.trim();
      found.push([words, child], ...await listCommands(child, words));
    }
  }
  return found;
}

const CONTEXT = await createContext({ names: [], config: undefined }, silent);
const COMMANDS = await listCommands(createProgram(CONTEXT));

Deno.test("the command line has every command of its predecessor and of the design", () => {
  const known = COMMANDS.map(([path]) => path);
  assert.deepEqual(MUST_EXIST.filter((path) => !known.includes(path)), []);
});

Deno.test("--help of every command describes it and shows examples of it", async () => {
  for (const [path, command] of COMMANDS) {
    const words = path.split(" ");
    const { code, out, err } = await cli(...words, "--help");
    assert.equal(code, 0, path);
    assert.equal(err, "", path);
    assert.match(out, /^Usage: browsergrid /, path);
    assert.match(command.description(), /^[A-Z]/, `${path} has a description`);
    const shown = `browsergrid ${path.replace("runserver", "serve")}`;
    const [, examples = ""] = out.split("\nExamples:\n");
    assert.ok(examples.includes(shown), `${path} has an example`);
  }
});

Deno.test("the text below the options of --help fits 80 columns, except examples", async () => {
  const long: string[] = [];
  for (const [path, command] of COMMANDS) {
    const { out } = await cli(...path.split(" "), "--help");
    // A terminal has options, commands and descriptions broken; examples are one line each, and so is a long word.
    long.push(
      ...out.split("\n").filter((line) =>
        line.length > 80 && !/^ {2}(?:-|[a-z])/.test(line) &&
        line.trim().includes(" ") &&
        line !== command.description()
      ),
    );
  }
  assert.deepEqual(long, []);
});

Deno.test("texts beside the longest options of --help are wrapped", async () => {
  const { out } = await cli("pool", "create", "kubernetes", "--help");
  const [options = ""] = out.split("Examples:");
  const long = options.split("\n").filter((line) =>
    line.length > 80 && line.trim().includes(" ")
  );
  assert.deepEqual(long, []);
});

Deno.test("every example is a command line that is accepted", () => {
  for (const [path, command] of COMMANDS) {
    for (const line of listExamples(command)) {
      const [words, options] = parseLine(line);
      const called = COMMANDS.filter(([each]) =>
        `${words.join(" ")} `.startsWith(`${each} `)
      ).sort(([a], [b]) => b.length - a.length)[0]?.[1];
      assert.ok(called, `${path}: ${line}`);
      const known = [...called.options.map(({ long }) => long), "--help"];
      const short = called.options.map((option) => option.short);
      for (const option of options) {
        assert.ok([...known, ...short].includes(option), `${path}: ${line}`);
      }
    }
  }
});

Deno.test("every option has a description", () => {
  for (const [path, command] of COMMANDS) {
    for (const { flags, description } of command.options) {
      assert.notEqual(description, "", `${path} ${flags}`);
    }
  }
});

Deno.test("--help of the program lists its exit codes", async () => {
  const { out } = await cli("--help");
  for (const code of ["0", "1", "2", "130"]) {
    assert.match(out, new RegExp(`^  ${code} +\\w`, "m"));
  }
});

function listExamples(command: Command): readonly string[] {
  let text = "";
  command.configureOutput({ writeOut: (part) => text += part });
  command.outputHelp();
  const [, examples = ""] = text.split("\nExamples:\n");
  return examples.split("\n").filter((line) =>
    line.startsWith("  browsergrid ")
  )
    .map((line) => line.slice("  browsergrid ".length));
}

/** Returns the words before the first option, and the options, without quoted text. */
function parseLine(line: string): [readonly string[], readonly string[]] {
  const plain = line.replaceAll(/'[^']*'|"[^"]*"/g, "TEXT").split(/\s+/);
  const first = plain.findIndex((word) => word.startsWith("-"));
  return [
    first < 0 ? plain : plain.slice(0, first),
    plain.filter((word) => /^--?[a-z]/.test(word)).map((word) =>
      word.split("=")[0] ?? word
    ),
  ];
}
