import assert from "node:assert/strict";
import type { Command } from "@commander-js/extra-typings";
import { BUILT_IN } from "../../src/cli/plugins.ts";
import { createProgram } from "../../src/cli/program.ts";
import { cli } from "../support/cli.ts";
import { silent } from "../support/silent_output.ts";

/** What the predecessor's manager, pool tool and worker can do, and what the design adds. */
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

/** Every command with the words by which it is called. */
function commandsOf(command: Command, path = ""): readonly [string, Command][] {
  // Commands that shells call are hidden.
  const shown = command.commands.filter((child) =>
    !child.name().startsWith("__")
  );
  return shown.flatMap((child) =>
    [child.name(), ...child.aliases()].flatMap((name) => {
      const words = `${path} ${name}`.trim();
      const own: [string, Command] = [words, child as Command]; // Commander's own list has no options' types.
      return [own, ...commandsOf(child as Command, words)];
    })
  );
}

const COMMANDS = commandsOf(createProgram(silent, { value: 0 }, BUILT_IN));

Deno.test("the command line has every command of its predecessor, and all that the design names", () => {
  const known = COMMANDS.map(([path]) => path);
  assert.deepEqual(MUST_EXIST.filter((path) => !known.includes(path)), []);
});

Deno.test("--help of every command says what it is for and shows examples of it", async () => {
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

Deno.test("what --help says after its options fits 80 columns, but for examples", async () => {
  const long: string[] = [];
  for (const [path, command] of COMMANDS) {
    const { out } = await cli(...path.split(" "), "--help");
    // A terminal has options, commands and descriptions broken; examples are one line each.
    long.push(
      ...out.split("\n").filter((line) =>
        line.length > 80 && !/^ {2}(?:-|[a-z])/.test(line) &&
        line !== command.description()
      ),
    );
  }
  assert.deepEqual(long, []);
});

Deno.test("every example is a command line that is accepted", () => {
  for (const [path, command] of COMMANDS) {
    for (const line of examplesOf(command)) {
      const [words, options] = parsed(line);
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

Deno.test("every option says what it is for", () => {
  for (const [path, command] of COMMANDS) {
    for (const { flags, description } of command.options) {
      assert.notEqual(description, "", `${path} ${flags}`);
    }
  }
});

Deno.test("--help of the program tells its exit codes", async () => {
  const { out } = await cli("--help");
  for (const code of ["0", "1", "2", "130"]) {
    assert.match(out, new RegExp(`^  ${code} +\\w`, "m"));
  }
});

function examplesOf(command: Command): readonly string[] {
  let text = "";
  command.configureOutput({ writeOut: (part) => text += part });
  command.outputHelp();
  const [, examples = ""] = text.split("\nExamples:\n");
  return examples.split("\n").filter((line) =>
    line.startsWith("  browsergrid ")
  )
    .map((line) => line.slice("  browsergrid ".length));
}

/** Words before the first option, and the options, without what is in quotes. */
function parsed(line: string): [readonly string[], readonly string[]] {
  const plain = line.replaceAll(/'[^']*'|"[^"]*"/g, "TEXT").split(/\s+/);
  const first = plain.findIndex((word) => word.startsWith("-"));
  return [
    first < 0 ? plain : plain.slice(0, first),
    plain.filter((word) => /^--?[a-z]/.test(word)).map((word) =>
      word.split("=")[0] ?? word
    ),
  ];
}
