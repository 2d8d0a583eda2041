import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import { createScene, listEndpoints, REQUESTS } from "../requests.ts";

/** Counts the round trips so far: for a remote database, the HTTP requests that it received. */
function countTrips({ core, remote }: TestGrid): number {
  const trips = core.db.trips();
  if (remote) assert.equal(remote.requests.length, trips);
  return trips;
}

Deno.test("each request takes the documented number of round trips to the database", async () => {
  await using grid = await testGrid();
  const s = await createScene(grid);
  const costs: Record<string, number> = {};
  for (const [route, , asked] of REQUESTS) {
    const [method = ""] = route.split(" ");
    const before = countTrips(grid);
    const { status, text } = await s.api.call(method, ...asked(s));
    assert.ok(status < 300, `${route}: ${status} ${text}`);
    costs[route] = countTrips(grid) - before;
  }
  const promised = REQUESTS.map(([route, trips]) => [route, trips]);
  assert.deepEqual(costs, Object.fromEntries(promised));
});

Deno.test("the number of round trips is documented for every endpoint of sessions, pools and workers", async () => {
  await using grid = await testGrid();
  const endpoints = await listEndpoints(grid, /^\/v1\/(sessions|workerpool)\b/);
  const promised = new Set(REQUESTS.map(([route]) => route));
  assert.deepEqual(endpoints.filter((each) => !promised.has(each)), []);
});

Deno.test("a create request with an Idempotency-Key takes no more round trips, repeated neither", async () => {
  await using grid = await testGrid();
  await createApiClient(grid).pool();
  const api = createApiClient(grid, { "idempotency-key": "one" });
  const costs: number[] = [];
  for (let time = 0; time < 2; time++) {
    const before = countTrips(grid);
    await api.session();
    costs.push(countTrips(grid) - before);
  }
  assert.deepEqual(costs, [2, 2]);
});

Deno.test("a liveness check takes no round trip, a readiness check one", async () => {
  await using grid = await testGrid();
  const before = countTrips(grid);
  await grid.request("/health");
  assert.equal(countTrips(grid), before);
  await grid.request("/ready");
  assert.equal(countTrips(grid), before + 1);
});
