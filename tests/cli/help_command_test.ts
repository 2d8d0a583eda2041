import assert from "node:assert/strict";
import { cli } from "../support/cli.ts";

/** Groups, each with one of its commands. */
const GROUPS = [
  ["pool", "get"],
  ["session", "create"],
  ["key", "list"],
  ["migrate", "status"],
  ["docker", "build-image"],
] as const;

Deno.test("every group has a help command, which prints the help of its commands with their options", async () => {
  for (const [group, name] of GROUPS) {
    const own = await cli(group, name, "--help");
    const below = await cli(group, "help", name);
    const above = await cli("help", group, name);
    assert.equal(own.code, 0, own.err);
    assert.equal(below.out, own.out, `${group} help ${name}`);
    assert.equal(above.out, own.out, `help ${group} ${name}`);
    assert.match(own.out, /^Options:\n {2}-?-\w/m);
    const whole = await cli(group, "help");
    assert.equal(whole.out, (await cli(group, "--help")).out);
    assert.match(whole.out, /^ {2}help \[options\] \[command\.\.\.\]/m);
  }
});

Deno.test("the help of a group that has no such command ends with 2 and names its commands", async () => {
  const { code, out, err } = await cli("key", "help", "zzzzz");
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /expected one of create, list, revoke/);
});

Deno.test("a group without a command ends with 2 and prints its help as an error", async () => {
  for (const [group] of GROUPS) {
    if (group === "migrate") continue; // It has a default command.
    const { code, out, err } = await cli(group);
    assert.deepEqual([code, out], [2, ""], group);
    assert.match(err, new RegExp(`^Usage: browsergrid ${group} `, "m"));
  }
});

Deno.test("help is printed for a command that would need a server, a database or more arguments", async () => {
  for (
    const words of [
      ["session", "get"],
      ["worker", "drain"],
      ["dbshell"],
      ["pool", "create", "azure_container_instance"],
    ]
  ) {
    const { code, out } = await cli(...words, "--help");
    assert.equal(code, 0, words.join(" "));
    assert.match(out, /\nExamples:\n {2}browsergrid /);
  }
});

Deno.test("--version prints the version of deno.json, at the program only", async () => {
  const config = JSON.parse(await Deno.readTextFile("deno.json"));
  assert.equal((await cli("--version")).out, config.version);
  assert.equal((await cli("-V")).out, config.version);
  const { code, err } = await cli("session", "list", "--version");
  assert.equal(code, 2);
  assert.match(err, /unknown option '--version'/);
});
