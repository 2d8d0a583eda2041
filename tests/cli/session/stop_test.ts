import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("session stop reports a running session as ending until its worker has ended the browser", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const stopped = await cli("session", "stop", claimed.id, ...at);
  assert.equal(stopped.code, 0, stopped.err);
  assert.match(
    stopped.out,
    new RegExp(`^Session ${claimed.id} is \\w+, ending$`),
  );
  await api.report(workerId, claimed, "completed");
  const again = await cli("session", "stop", claimed.id, "--json", ...at);
  assert.equal(JSON.parse(again.out).id, claimed.id, again.err);
});

Deno.test("session stop --force has the worker end the browser without asking it", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const { code } = await cli(
    ...["session", "stop", claimed.id, "--force", "--api-url", grid.url],
  );
  assert.equal(code, 0);
  const { body } = await api.call(
    "PUT",
    `/workerpool/workers/${workerId}/heartbeat`,
    { sessions: [] },
  );
  const commands = JSON.stringify(body.commands);
  assert.match(commands, new RegExp(claimed.id));
  assert.match(commands, /"force":true|kill/);
});

Deno.test("session stop --all ends every page of live sessions", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  const api = createApiClient(grid);
  await api.pool({ max_queue: 2_000 });
  await Promise.all(Array.from({ length: 12 }, () => api.session()));
  const { code, out } = await cli("session", "stop", "--all", ...at);
  assert.equal(code, 0);
  assert.equal(out.split("\n").length, 12);
  const left = await cli(
    ...["session", "list", "--status", "pending", "--json", ...at],
  );
  assert.equal(left.out, "[]");
});
