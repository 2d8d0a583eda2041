import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";

/** Returns the pause until a promise resolves. */
async function measure<T>(
  act: () => Promise<T>,
): Promise<readonly [T, number]> {
  const startedAt = performance.now();
  return [await act(), performance.now() - startedAt];
}

Deno.test("a request with wait returns as soon as the hand-over ends, at the server that ends it and at another one", async () => {
  await using here = await testGrid();
  await using there = await testGrid({ dataDir: here.dataDir });
  const [api, other] = [createApiClient(here), createApiClient(there)];
  await api.pool();
  const { claimed: { id } } = await api.running();
  const path = `/sessions/${id}/handover`;
  await api.call("POST", path, { reason: "sign in" });
  const [[same, sameMs], [remote, remoteMs], finished] = await Promise.all([
    measure(() => api.call("GET", `${path}?wait=60`)),
    measure(() => other.call("GET", `${path}?wait=60`)),
    api.call("POST", `${path}/finish`, { note: "done" }),
  ]);
  assert.equal(finished.status, 200);
  for (const { body } of [same, remote]) {
    assert.deepEqual([body.status, body.note], ["done", "done"]);
  }
  assert.ok(sameMs < 30_000 && remoteMs < 30_000, `${sameMs} ${remoteMs}`);
});

Deno.test("a request with wait returns the open hand-over when its time is over, and another state at once", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { claimed: { id } } = await api.running();
  const path = `/sessions/${id}/handover`;
  await api.call("POST", path, { reason: "sign in" });
  const open = await api.call("GET", `${path}?wait=0.2`);
  assert.equal(open.body.status, "open");
  await api.call("DELETE", path);
  const before = grid.core.db.trips();
  const cancelled = await api.call("GET", `${path}?wait=60`);
  assert.equal(cancelled.body.status, "cancelled");
  assert.equal(grid.core.db.trips() - before, 1);
});

Deno.test("a request with wait returns when the session ends", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { claimed: { id } } = await api.running();
  const path = `/sessions/${id}/handover`;
  await api.call("POST", path, { reason: "sign in" });
  const [waited] = await Promise.all([
    api.call("GET", `${path}?wait=60`),
    api.call("DELETE", `/sessions/${id}?force=true`),
  ]);
  assert.equal(waited.body.status, "session_ended");
});

Deno.test("a wait of more than a minute is rejected", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { claimed: { id } } = await api.running();
  const { status } = await api.call("GET", `/sessions/${id}/handover?wait=61`);
  assert.equal(status, 422);
});
