import assert from "node:assert/strict";
import {
  type CompletionNode,
  listCompletions,
  type ValueKind,
} from "../../../src/cli/completions/tree.ts";
import { createContext } from "../../../src/cli/plugin_option.ts";
import { createProgram } from "../../../src/cli/program.ts";
import { silent } from "../../support/silent_output.ts";

const context = await createContext({ names: [], config: undefined }, silent);
const nodes = await listCompletions(createProgram(context));

function find(path: string): CompletionNode {
  const node = nodes.find((each) => each.path === path);
  assert.ok(node, path);
  return node;
}

function findValue(path: string, flag: string): ValueKind | undefined {
  const option = find(path).options.find(({ flags }) => flags.includes(flag));
  assert.ok(option, `${path} ${flag}`);
  return option.value;
}

Deno.test("listCompletions() lists each command once under each of its names", () => {
  const paths = nodes.map(({ path }) => path);
  assert.equal(new Set(paths).size, paths.length);
  for (
    const path of ["", " serve", " runserver", " pool create docker", " key"]
  ) {
    assert.ok(paths.includes(path), path);
  }
  assert.deepEqual(find(" serve").options, find(" runserver").options);
});

Deno.test("listCompletions() offers no hidden command", () => {
  const names = find("").commands.map(({ name }) => name);
  assert.ok(names.includes("completions"));
  assert.ok(!names.some((name) => name.startsWith("__")));
});

Deno.test("listCompletions() lists the options of commands that have not been called", () => {
  const flags = find(" pool create docker").options.flatMap((option) =>
    option.flags
  );
  for (const flag of ["--image", "--max-sessions", "--api-url", "--help"]) {
    assert.ok(flags.includes(flag), flag);
  }
  for (const { path, options } of nodes) {
    assert.ok(options.length > 0, path);
  }
});

Deno.test("an option is completed by files, folders, records or known words, as its flags say", () => {
  const cases: readonly [string, string, ValueKind | undefined][] = [
    [" pool list", "--config", { kind: "file" }],
    [" serve", "--data-dir", { kind: "folder" }],
    [" serve", "--port", { kind: "text" }],
    [" session create", "--pool", { kind: "pools" }],
    [" worker", "--work-pool-id", { kind: "pools" }],
    [" worker", "--reach", {
      kind: "choice",
      choices: ["auto", "direct", "tunnel"],
    }],
    [" pool create local", "--sandbox", {
      kind: "choice",
      choices: ["auto", "on", "off"],
    }],
    [" session stop", "--force", undefined],
    [" serve", "--no-migrate", undefined],
  ];
  for (const [path, flag, value] of cases) {
    assert.deepEqual(findValue(path, flag), value, `${path} ${flag}`);
  }
});

Deno.test("arguments are completed by records or by the words that they accept", () => {
  assert.equal(find(" session get").named, "sessions");
  assert.equal(find(" pool update").named, "pools");
  assert.equal(find(" worker drain").named, "workers");
  assert.equal(find(" key revoke").named, "keys");
  assert.equal(find(" webhook test").named, "webhooks");
  assert.deepEqual(find(" completions").words, ["bash", "zsh", "fish"]);
  assert.deepEqual(find(" serve").words, []);
});
