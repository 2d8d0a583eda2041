import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";
import { createApiClient } from "../support/api.ts";
import { type TestGrid, testGrid } from "../support/grid.ts";
import { startHranaServer } from "../support/hrana_server.ts";
import { readRejection } from "../support/raw_client.ts";

/** Sets the expected wait for the grid's database. */
function setExpectedWait({ core }: TestGrid, waitMs: number): void {
  Object.assign(core.db, { expectedWaitMs: () => waitMs });
}

/** Lists the sessions, and returns how long it took. */
async function askList(grid: TestGrid) {
  const startedAt = performance.now();
  const response = await grid.request("/v1/sessions?limit=1");
  await response.body?.cancel();
  return { status: response.status, ms: performance.now() - startedAt };
}

Deno.test("under overload the requests of clients are rejected with Retry-After before their body is read", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const pool = await api.pool();
  const { id } = await api.session();
  setExpectedWait(grid, 10_000);
  const calls = [
    ["POST", "/sessions", { no_such_field: 1 }],
    ["GET", "/sessions"],
    ["GET", `/sessions/${id}`],
    ["GET", `/sessions/${id}/events`],
    ["POST", `/sessions/${id}/refresh`, {}],
    ["GET", `/workerpool/pools/${pool.id}`],
  ] as const;
  for (const [method, path, body] of calls) {
    const { status, headers, body: problem } = await api.call(
      method,
      path,
      body,
    );
    assert.equal(status, 503, `${method} ${path}`);
    assert.equal(problem.code, "overloaded");
    assert.ok(Number(headers.get("retry-after")) >= 10);
  }
});

Deno.test("under overload /v1/connect is rejected before the upgrade", async () => {
  await using grid = await testGrid({ listen: true });
  setExpectedWait(grid, 10_000);
  const { status, code } = await readRejection(
    `${grid.url.replace("http", "ws")}/v1/connect`,
  );
  assert.deepEqual([status, code], ["503", "overloaded"]);
});

Deno.test("under overload workers register, claim, report and are read, sessions are stopped, and probes are answered", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  setExpectedWait(grid, 10_000);
  const path = `/workerpool/workers/${await api.worker()}`;
  const claim = await api.call("POST", `${path}/claim-session`, { count: 1 });
  assert.equal(claim.body.sessions.length, 1);
  const beat = { status: "online", current_load: 0, sessions: [] };
  const calls = [
    await api.call("PUT", `${path}/heartbeat`, beat),
    await api.call("GET", "/workerpool/workers"),
    await api.call("DELETE", `/sessions/${id}`),
  ];
  assert.deepEqual(calls.map(({ status }) => status), [200, 200, 202]);
  for (const probe of ["/health", "/ready"]) {
    assert.equal((await grid.request(probe)).status, 200);
  }
});

Deno.test("20 clients at once on a database far away are all served", async () => {
  await using database = await startHranaServer();
  await using grid = await testGrid({
    settings: { database_url: database.url },
  });
  const api = createApiClient(grid);
  await api.pool();
  database.delay(200);
  const created = await Promise.all(
    Array.from({ length: 20 }, () => api.call("POST", "/sessions", {})),
  );
  database.delay(0);
  assert.deepEqual(
    new Set(created.map(({ status }) => status)),
    new Set([201]),
  );
});

Deno.test("of a flood on a slow database those are served that it serves in time, and the rest is rejected at once", async () => {
  await using database = await startHranaServer();
  await using grid = await testGrid({
    settings: { database_url: database.url },
  });
  const api = createApiClient(grid);
  await api.pool();
  database.delay(200);
  // Its rate is unknown before: 20 reads at once, each 200 ms.
  const known = Array.from({ length: 60 }, () => api.call("GET", "/sessions"));
  await Promise.all(known);
  const asking: Promise<{ readonly status: number; readonly ms: number }>[] =
    [];
  for (let count = 0; count < 600; count++) {
    asking.push(askList(grid));
    // As requests arrive over sockets: not all in one turn of the event loop.
    if (count % 20 === 0) await systemClock.sleep(0);
  }
  const asked = await Promise.all(asking);
  database.delay(0);
  const served = asked.filter(({ status }) => status === 200);
  const rejected = asked.filter(({ status }) => status === 503);
  assert.equal(served.length + rejected.length, asked.length);
  // 2 s at 100 a second, and as much again for what the measured rate is off.
  assert.ok(served.length >= 100 && served.length < 400, `${served.length}`);
  const times = rejected.map(({ ms }) => ms).sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? NaN;
  assert.ok(median < 200, `${median} ms, longer than one round trip`);
});
