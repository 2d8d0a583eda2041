import assert from "node:assert/strict";
import { record } from "../../apps/events/scene.ts";
import { eventually } from "../../support/eventually.ts";
import { testGrid } from "../../support/grid.ts";
import { startProgram } from "../../support/program.ts";
import {
  runInTerminal,
  terminalMissing,
} from "../../support/run_in_terminal.ts";

const reason = await terminalMissing();
if (reason) {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  console.log(`skipped: events in a terminal: ${reason}`);
}

Deno.test("events --follow prints an event a line, reconnects to a server that is restarted, and ends with code 0 at Ctrl+C", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    const first = await testGrid({ listen: true, dataDir });
    const port = Number(new URL(first.url).port);
    await record(first, {}, 3);
    await using program = startProgram(
      ["events", "-f", "--json", "--limit", "2", "--api-url", first.url],
    );
    await program.until(/"sequence":2,.*\n.*"sequence":3,/);
    await record(first, {});
    await program.until(/"sequence":4,/);
    await first[Symbol.asyncDispose]();
    await program.until(/^The connection is lost, reconnecting: Cannot reach/m);
    await using second = await testGrid({
      listen: true,
      dataDir,
      settings: { port },
    });
    await record(second, {}, 2);
    await program.until(/^Connected again\n[^]*"sequence":6,/m);
    program.kill("SIGINT");
    assert.equal((await program.status).code, 0);
    const sequences = program.output().matchAll(/^\{"sequence":(\d+),.*\}$/gm);
    assert.deepEqual([...sequences].map(([, each]) => Number(each)), [
      ...[2, 3, 4, 5, 6],
    ]);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

for (const [options, end] of [[[], ""], [["--follow"], "\x03"]] as const) {
  Deno.test({
    name: `${
      ["events", ...options].join(" ")
    } keeps columns, whole ids and data in a terminal of 80 columns`,
    ignore: reason !== undefined,
    async fn() {
      await using grid = await testGrid({ listen: true });
      const id = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";
      const type = "session.client_disconnected";
      const data = { reason: "x".repeat(90) };
      await record(grid, { type, session: id, data });
      await using program = runInTerminal(
        ["events", ...options, "--api-url", grid.url],
        80,
      );
      const printed = await program.type("", /x\u2026\r\n/);
      assert.match(
        printed,
        /^TIME {18}TYPE {18}ID\r\n\S{20} {2}session\.client_disc\u2026 {2}01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d\r\n {2}reason: x{69}\u2026\r\n/,
      );
      assert.equal(await program.end(end), 0);
    },
  });
}

Deno.test("events --follow ends when its reader has gone", async () => {
  await using grid = await testGrid({ listen: true });
  await record(grid, {}, 1);
  const command = new Deno.Command("sh", {
    args: [
      "-c",
      '"$0" run --no-check --quiet -A main.ts events -f --json --api-url "$1" | head -1',
      ...[Deno.execPath(), grid.url],
    ],
    cwd: new URL("../../../", import.meta.url),
    stdout: "piped",
  }).spawn();
  const reader = command.stdout.getReader();
  assert.match(
    new TextDecoder().decode((await reader.read()).value),
    /^\{"sequence":1,/,
  );
  let hasEnded = false;
  const ended = command.status.then(() => hasEnded = true);
  // The program learns it when it prints the next events.
  await eventually("the program has ended", async () => {
    await record(grid, {});
    return hasEnded;
  });
  await ended;
  await reader.cancel();
});
