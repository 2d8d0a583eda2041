import assert from "node:assert/strict";
import { cli } from "../support/cli.ts";
import { testGrid } from "../support/grid.ts";
import { startProgram } from "../support/program.ts";

const AWAY = ["--api-url", "http://127.0.0.1:1"];

Deno.test("wrong usage ends with 2 and one line, before a request is sent or a file is created", async () => {
  for (
    const [args, line] of [
      [["serv"], /unknown command 'serv'.*\n.*serve/],
      [["session", "lst"], /unknown command 'lst'.*\n.*list/],
      [["serve", "--prot", "1"], /unknown option '--prot'.*\n.*--port/],
      [["serve", "--port", "many"], /setting "port" \(flag --port\)/],
      [["migrate", "--database-url", "a.db"], /--database-url.*file:PATH/],
      [["session", "get"], /missing required argument 'session'/],
      [["session", "get", "a", "b"], /too many arguments/],
      [["worker"], /--work-pool-id/],
      [["worker", "--work-pool-id", "x", "--capacity", "0"], /--capacity "0"/],
      [["pool", "create"], /^/],
      [["session", "create", "--priority", "high", ...AWAY], /priority/],
      [["session", "create", "--wait", "long", ...AWAY], /--wait "long"/],
      [["session", "refresh", "x", "--minutes", "-1", ...AWAY], /--minutes/],
      [["pool", "update", "x", "--max-sessions", "few", ...AWAY], /--max-sess/],
      [["completions", "tcsh"], /bash, zsh, fish/],
      [["check", "--provider", "doker"], /"doker": known are "local"/],
      [["--version", "--what"], /^$/],
    ] as const
  ) {
    const { code, err } = await cli(...args);
    const expected = args[0] === "--version" ? 0 : 2;
    assert.equal(code, expected, `${args.join(" ")}: ${err}`);
    assert.match(err, line, args.join(" "));
    assert.doesNotMatch(err, /\n\s+at /, args.join(" "));
  }
});

Deno.test("a rejection by a server or database ends with 1 and one line, and with its stack only with --debug", async () => {
  for (
    const args of [
      ["pool", "list", ...AWAY],
      ["session", "create", ...AWAY],
      ["worker", "list", ...AWAY],
      ["shell", "--eval", "await api.listPools()", ...AWAY],
      ["dbshell", "-c", "SELECT 1", "--database-url", "http://127.0.0.1:1"],
      ["migrate", "--database-url", "http://127.0.0.1:1"],
    ]
  ) {
    const { code, err } = await cli(...args);
    assert.equal(code, 1, args.join(" "));
    assert.match(err, /^error: Cannot [^\n]+$/, args.join(" "));
    const debugged = await cli(...args, "--debug");
    assert.equal(debugged.code, 1);
    assert.match(debugged.err, /^error: Cannot [^\n]+\n[^]*\n\s+at /);
  }
});

Deno.test("a command that Ctrl+C stops ends with 130, and has printed the session that continues", async () => {
  await using grid = await testGrid({ listen: true });
  await cli("pool", "create", "local", "--name", "a", "--api-url", grid.url);
  await using program = startProgram(
    ["session", "create", "--wait", "--api-url", grid.url],
  );
  const [, id] = await program.until(/Session (\S+) is created/);
  program.kill("SIGINT");
  assert.equal((await program.status).code, 130);
  const session = await grid.request(`/v1/sessions/${id}`);
  assert.equal((await session.json()).status, "pending");
});

Deno.test("every command of a server ends with 1 for a wrong key, and says how to set one", async () => {
  await using grid = await testGrid({
    listen: true,
    settings: { api_key: "key-0123456789" },
  });
  const at = ["--api-url", grid.url, "--api-key", "another"];
  for (
    const args of [["pool", "list"], ["session", "list"], ["worker", "list"]]
  ) {
    const { code, err } = await cli(...args, ...at);
    assert.equal(code, 1);
    assert.match(
      err,
      /^error: [^\n]*BROWSERGRID_API_KEY[^\n]*\[unauthorized\]$/,
    );
    assert.doesNotMatch(err, /key-0123456789|another/);
  }
});
