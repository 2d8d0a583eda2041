import assert from "node:assert/strict";
import { renderBashScript } from "../../../src/cli/completions/bash.ts";
import { renderFishScript } from "../../../src/cli/completions/fish.ts";
import type { CompletionNode } from "../../../src/cli/completions/tree.ts";
import { renderZshScript } from "../../../src/cli/completions/zsh.ts";

/** A program with one group and one command, whose texts have characters that shells interpret. */
const NODES: readonly CompletionNode[] = [
  {
    path: "",
    commands: [{ name: "pool", description: "Pools: it's a group" }],
    options: [{ flags: ["--version", "-V"], description: "version" }],
    words: [],
  },
  {
    path: " pool",
    commands: [{ name: "get", description: "Show \\ a pool" }],
    options: [],
    words: [],
  },
  {
    path: " pool get",
    commands: [],
    options: [
      {
        flags: ["--config"],
        description: "the file's path",
        value: { kind: "file" },
      },
      {
        flags: ["--data-dir"],
        description: "folder",
        value: { kind: "folder" },
      },
      {
        flags: ["--reach"],
        description: "how",
        value: { kind: "choice", choices: ["auto", "direct"] },
      },
      { flags: ["--worker"], description: "id", value: { kind: "workers" } },
      { flags: ["--name"], description: "name", value: { kind: "text" } },
      { flags: ["--json"], description: "JSON" },
    ],
    words: [],
    named: "pools",
  },
];

Deno.test("the bash script lists commands by path, and the kind of each value", () => {
  const lines = renderBashScript(NODES).split("\n").map((line) => line.trim());
  for (
    const line of [
      '" pool get|--config") echo "file" ;;',
      '" pool get|--data-dir") echo "folder" ;;',
      '" pool get|--reach") echo "auto direct" ;;',
      '" pool get|--worker") echo "workers" ;;',
      '"") words="pool" options="--version -V" ;;',
      '" pool") words="get" options="" ;;',
    ]
  ) {
    assert.ok(lines.includes(line), line);
  }
  const get = lines.find((line) => line.startsWith('" pool get") words=""'));
  assert.match(get ?? "", /--json" named="pools" ;;$/);
  // An option without a value is followed by the next word.
  assert.ok(!lines.some((line) => line.startsWith('" pool get|--json"')));
});

Deno.test("the zsh script quotes descriptions, and escapes the colon that separates them", () => {
  const script = renderZshScript(NODES);
  assert.ok(
    script.includes(String.raw`'pool:Pools\: it'\''s a group'`),
    script,
  );
  assert.ok(script.includes(String.raw`'get:Show \\ a pool'`), script);
  assert.match(script, /\(" pool get\|--reach"\) print -r -- "auto direct" ;;/);
  assert.match(script, / named=pools ;;$/m);
  assert.match(script, /^#compdef browsergrid$/m);
});

Deno.test("the fish script completes each option by its kind, at the path of its command", () => {
  const lines = renderFishScript(NODES).split("\n");
  const at = (path: string) =>
    `complete -c browsergrid -n '__browsergrid_at "${path}"'`;
  for (
    const line of [
      String.raw`${at("")} -a 'pool' -d 'Pools: it\'s a group'`,
      `${at("")} -l version -s V -d 'version'`,
      String.raw`${at(" pool")} -a 'get' -d 'Show \\ a pool'`,
      `${at(" pool get")} -a '(__browsergrid_named pools)'`,
      String.raw`${at(" pool get")} -l config -d 'the file\'s path' -rF`,
      `${at(" pool get")} -l reach -d 'how' -xa 'auto direct'`,
      `${
        at(" pool get")
      } -l worker -d 'id' -xa '(__browsergrid_named workers)'`,
      `${at(" pool get")} -l name -d 'name' -x`,
      `${at(" pool get")} -l json -d 'JSON'`,
    ]
  ) {
    assert.ok(lines.includes(line), line);
  }
});
