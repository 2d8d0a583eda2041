import assert from "node:assert/strict";
import { createContext } from "../../src/cli/plugin_option.ts";
import { createProgram } from "../../src/cli/program.ts";
import { cli } from "../support/cli.ts";
import { silent } from "../support/silent_output.ts";

const UNREACHABLE = ["--api-url", "http://127.0.0.1:1"];

Deno.test("run() prints a problem of the server in one line, with its code", async () => {
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () =>
      Response.json(
        { code: "pool_paused", detail: "Cannot do this: paused" },
        {
          status: 409,
          headers: { "content-type": "application/problem+json" },
        },
      ),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const { code, out, err } = await cli("pool", "list", "--api-url", url);
  assert.deepEqual(
    { code, out, err },
    { code: 1, out: "", err: "error: Cannot do this: paused [pool_paused]" },
  );
});

Deno.test("run() prints a stack only with --debug, before or after the command's other options", async () => {
  const plain = await cli("pool", "list", ...UNREACHABLE);
  assert.equal(plain.err.split("\n").length, 1);
  for (
    const args of [
      ["pool", "list", "--debug", ...UNREACHABLE],
      ["pool", "list", ...UNREACHABLE, "--debug"],
    ]
  ) {
    const { code, err } = await cli(...args);
    assert.equal(code, 1);
    assert.match(err, /^error: Cannot [^\n]+\n[^]*\n\s+at /);
  }
});

Deno.test("run() ends with 2 for a setting that is wrong, wherever it comes from", async () => {
  Deno.env.set("BROWSERGRID_PORT", "many");
  try {
    const { code, err } = await cli("pool", "list");
    assert.equal(code, 2);
    assert.match(err, /variable BROWSERGRID_PORT/);
  } finally {
    Deno.env.delete("BROWSERGRID_PORT");
  }
});

Deno.test("run() without a command prints the help of the program as an error, and ends with 2", async () => {
  const { code, out, err } = await cli();
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /^Usage: browsergrid \[options\] \[command\]/m);
});

Deno.test("createProgram() has one command per name, in the order of the help", async () => {
  const flags = { names: [], config: undefined };
  const program = createProgram(await createContext(flags, silent));
  const names = program.commands.map((command) => command.name());
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(names.slice(0, 7), [
    ...["serve", "worker", "pool", "session", "events", "webhook", "key"],
  ]);
  assert.equal(names.at(-1), "__complete");
});
