import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("workers are listed, shown, drained, resumed and deleted, by id or name", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  await cli("pool", "create", "local", "--name", "here", ...at);
  const api = createApiClient(grid);
  const id = await api.worker({ work_pool_id: "here", name: "one" });
  await api.call("PUT", `/workerpool/workers/${id}/heartbeat`, { ready: 2 });
  const list = await cli("worker", "list", ...at);
  assert.match(list.out, /"one","online","0\/5","2"/, list.err);
  const changed = await cli(
    ...["pool", "update", "here", "--min-ready", "3"],
    ...["--ready-max-age-minutes", "5", "--json", ...at],
  );
  assert.equal(JSON.parse(changed.out).ready_max_age_minutes, 5);
  const pressure = await cli("pool", "pressure", "here", ...at);
  assert.match(pressure.out, /\["ready","2"\],\["min_ready","3"\]/);
  const drained = await cli(
    ...["worker", "drain", "one", "--timeout", "60", "--json", ...at],
  );
  assert.equal(JSON.parse(drained.out).status, "draining", drained.err);
  const resumed = await cli("worker", "resume", id, "--json", ...at);
  assert.equal(JSON.parse(resumed.out).status, "online");
  const wrong = await cli("worker", "drain", "one", "--timeout", "x", ...at);
  assert.match(wrong.err, /--timeout "x".*expected a number/);
  assert.equal((await cli("worker", "delete", "one", ...at)).code, 0);
  const gone = await cli("worker", "get", "one", ...at);
  assert.deepEqual([gone.code, /none has this name/.test(gone.err)], [1, true]);
});
