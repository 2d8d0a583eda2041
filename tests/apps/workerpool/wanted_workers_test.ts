import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { createFakeMachines } from "../../support/fake_machines.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";

async function readWanted(grid: TestGrid): Promise<number> {
  const { call } = createApiClient(grid);
  const { body } = await call("GET", "/workerpool/pools/pool/pressure");
  assert.equal(body.machines, null);
  return body.wanted_workers;
}

Deno.test("wanted_workers of a pool without machines uses the mean capacity of its workers, or 5", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ min_workers: 1, max_workers: 3 });
  assert.equal(await readWanted(grid), 1);
  for (let n = 0; n < 7; n++) await api.session();
  assert.equal(await readWanted(grid), 2);
  const worker = await api.worker({ capacity: 2 });
  await api.worker({ name: "other", capacity: 4 });
  assert.equal(await readWanted(grid), 3);
  assert.ok(await api.claim(worker));
  assert.equal(await readWanted(grid), 3);
  await api.call("PATCH", "/workerpool/pools/pool", { max_sessions: 4 });
  assert.equal(await readWanted(grid), 2);
  await api.call("PATCH", "/workerpool/pools/pool", {
    max_sessions: null,
    max_sessions_per_worker: 1,
    max_workers: null,
  });
  assert.equal(await readWanted(grid), 7);
  await api.call("PATCH", "/workerpool/pools/pool", { min_ready: 2 });
  assert.equal(await readWanted(grid), 9);
  await api.call("POST", "/workerpool/pools/pool/pause");
  assert.equal(await readWanted(grid), 1);
});

Deno.test("the response to a new pool warns if its machines could not reach the server", async () => {
  const { provider, knobs } = createFakeMachines();
  knobs.isOnServerHost = false;
  for (
    const [public_url, pattern] of [
      ["http://localhost:8765", /localhost:8765.*public_url/],
      ["https://grid.example", undefined],
    ] as const
  ) {
    await using grid = await testGrid({
      settings: { public_url },
      providers: [provider],
    });
    const { warnings } = await createApiClient(grid).pool({
      provider_type: "machines",
    });
    if (pattern) assert.match(warnings[0], pattern);
    else assert.deepEqual(warnings, []);
  }
});
