import assert from "node:assert/strict";
import { runProgram, startProgram } from "../support/program.ts";
import { runInTerminal, terminalMissing } from "../support/run_in_terminal.ts";

const reason = await terminalMissing();
if (reason) {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  console.log(`skipped: output in a terminal: ${reason}`);
}

Deno.test("data goes to stdout and errors to stderr", async () => {
  const good = await runProgram(["settings", "--json"]);
  assert.deepEqual([good.code, good.stderr], [0, ""]);
  assert.ok(Array.isArray(JSON.parse(good.stdout)));
  const bad = await runProgram([
    "settings",
    "--config",
    "/nowhere",
    "--values",
  ]);
  assert.deepEqual([bad.code, bad.stdout], [1, ""]);
  assert.match(bad.stderr, /^error: Cannot read the configuration file/);
});

Deno.test("a table for a program is never cut and has no colours", async () => {
  const { stdout } = await runProgram(["settings"]);
  const [head = "", ...rows] = stdout.trimEnd().split("\n");
  assert.match(head, /^VARIABLE +TYPE +DEFAULT +WHAT$/);
  assert.ok(rows.every((row) => row.startsWith("BROWSERGRID_")), stdout);
  assert.ok(!stdout.includes("…") && !stdout.includes("\u001b"));
});

Deno.test("a reader that closes its end of the pipe ends the program without an error", async () => {
  const command = new Deno.Command("sh", {
    args: [
      "-c",
      `"$0" run --no-check --quiet -A main.ts completions bash | head -1; echo "\${PIPESTATUS:-}"`,
      Deno.execPath(),
    ],
    cwd: new URL("../../", import.meta.url),
  });
  const { stdout, stderr } = await command.output();
  assert.match(
    new TextDecoder().decode(stdout),
    /^# Completions of browsergrid/,
  );
  assert.equal(new TextDecoder().decode(stderr), "");
});

Deno.test({
  name: "in a narrow terminal a table keeps the names of its rows whole",
  ignore: reason !== undefined,
  fn: async () => {
    await using program = runInTerminal(["settings"]);
    const text = await program.type("", /BROWSERGRID_LOG_LEVEL/);
    assert.match(text, /VARIABLE/);
    assert.match(text, /^BROWSERGRID_PORT /m);
  },
});

Deno.test("progress goes to stderr, so that a pipe has the result only", async () => {
  await using program = startProgram([
    "key",
    "list",
    "--api-url",
    "http://127.0.0.1:1",
  ]);
  assert.equal((await program.status).code, 1);
  await program.until(/^error: Cannot reach/m);
});
