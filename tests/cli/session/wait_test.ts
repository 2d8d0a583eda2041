import assert from "node:assert/strict";
import { createClient } from "../../../src/client/client.ts";
import { UsageError } from "../../../src/cli/exit.ts";
import { parseWait, waitUntilRunning } from "../../../src/cli/session/wait.ts";
import { createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";
import { silent } from "../../support/silent_output.ts";

Deno.test("parseWait() returns seconds, 60 without a number", () => {
  const values: readonly (readonly [string | true, number])[] = [
    [true, 60],
    ["5", 5],
    ["0.5", 0.5],
  ];
  for (const [value, seconds] of values) {
    assert.equal(parseWait(value), seconds);
  }
  for (const value of ["0", "-1", "long", ""]) {
    assert.throws(() => parseWait(value), UsageError, value);
  }
});

Deno.test("waitUntilRunning() prints each event once and resolves with the running session", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  const lines: string[] = [];
  const waiting = waitUntilRunning(createClient({ apiUrl: grid.url }), {
    id,
    seconds: 30,
    output: { ...silent, progress: (line) => void lines.push(line) },
  });
  const workerId = await api.worker();
  const claimed = await api.claim(workerId);
  assert.ok(claimed);
  await api.report(workerId, claimed, "running", {
    endpoint: "ws://127.0.0.1:9/devtools/browser/x",
  });
  const session = await waiting;
  assert.deepEqual([session.id, session.status], [id, "running"]);
  const created = lines.filter((line) => line.startsWith("session_created"));
  assert.equal(created.length, 1, lines.join("\n"));
});

Deno.test("session create --wait ends with 1 if the session fails before it runs, and says why", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const workerId = await api.worker();
  const waiting = cli("session", "create", "--wait", "--api-url", grid.url);
  let claimed = await api.claim(workerId);
  while (!claimed) claimed = await api.claim(workerId);
  await api.report(workerId, claimed, "failed", {
    status_reason: "no browser",
  });
  const { code, out, err } = await waiting;
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, new RegExp(`Session ${claimed.id} is failed: no browser`));
});

Deno.test("session create without --wait prints the session at once, with its connect URL", async () => {
  await using grid = await testGrid({ listen: true });
  await createApiClient(grid).pool();
  const { code, out, err } = await cli(
    ...["session", "create", "--api-url", grid.url],
  );
  assert.deepEqual([code, err], [0, ""]);
  assert.match(
    out,
    /^Session {2}\S{36}\nStatus {3}pending\nConnect {2}ws:\S+\nUntil {4}\d{4}-\S+Z$/,
  );
});
