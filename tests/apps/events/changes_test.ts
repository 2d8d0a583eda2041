import assert from "node:assert/strict";
import { type Api, createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";

/** Returns a function that returns the events since its last call, as type and data. */
function follow(api: Api, type: string) {
  let last = 0;
  return async () => {
    const { body, text } = await api.call(
      "GET",
      `/events?type=${type}&cursor=${last}&limit=1000`,
    );
    assert.ok(body.items, text);
    last = body.items.at(-1)?.sequence ?? last;
    return body.items.map(({ type, data }: { type: string; data: unknown }) =>
      [type, data] as const
    );
  };
}

Deno.test("each change of a work pool has its event in order, and a rejected or empty change has none", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const next = follow(api, "pool.*");
  const name = "pool";
  const path = "/workerpool/pools/pool";
  await api.pool();
  assert.deepEqual(await next(), [
    ["pool.created", { name, provider_type: "local" }],
  ]);
  await api.call("PATCH", path, {
    priority: 2,
    default_environment: { A: "x" },
  });
  assert.deepEqual(await next(), [
    ["pool.updated", { name, changed: ["priority", "default_environment"] }],
  ]);
  await api.call("POST", `${path}/pause`);
  await api.call("POST", `${path}/pause`);
  await api.call("POST", `${path}/resume`);
  await api.call("POST", `${path}/drain`);
  await grid.pools.finishDrains();
  await grid.pools.finishDrains();
  assert.deepEqual(await next(), [
    ["pool.paused", { name }],
    ["pool.resumed", { name }],
    ["pool.draining", { name }],
    ["pool.inactive", { name }],
  ]);
  await api.call("PATCH", path, { priority: 2 });
  await api.call("POST", "/workerpool/pools", { name, provider_type: "local" });
  await api.pool({ name: "other" });
  await api.call("PATCH", path, { name: "other" });
  assert.deepEqual(await next(), [
    ["pool.created", { name: "other", provider_type: "local" }],
  ]);
  const { body } = await api.call("GET", path);
  const put = await api.call("PUT", path, { ...body, status: "active" });
  assert.equal(put.status, 200, put.text);
  assert.deepEqual(await next(), [["pool.resumed", { name }]]);
  await api.worker({ name: "w" });
  await api.call("DELETE", path);
  assert.deepEqual(await next(), []);
  const workers = follow(api, "worker.deregistered");
  await api.call("DELETE", `${path}?force=true`);
  assert.deepEqual(await next(), [["pool.deleted", { name }]]);
  assert.deepEqual(await workers(), [["worker.deregistered", {
    name: "w",
    reason: "its work pool was deleted",
  }]]);
});

Deno.test("each change of a worker has its event in order, and a repeated or rejected one has none", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const api = createApiClient(grid);
  await api.pool({ max_workers: 1 });
  const next = follow(api, "worker.*");
  const beat = (id: string, status: string, problem?: string) =>
    api.call("PUT", `/workerpool/workers/${id}/heartbeat`, {
      sessions: [],
      status,
      provider_details: problem === undefined ? {} : { problem },
    });
  const name = "w";
  const id = await api.worker({ name });
  assert.deepEqual(await next(), [["worker.registered", { name }]]);
  assert.equal(
    (await api.call("POST", "/workerpool/workers", {
      work_pool_id: "pool",
      name: "second",
    })).status,
    409,
  );
  for (const status of ["online", "busy", "online"]) await beat(id, status);
  assert.deepEqual(await next(), []);
  const problem = "the engine is down";
  for (const _ of [1, 2]) await beat(id, "failed", problem);
  for (const status of ["busy", "offline", "offline"]) await beat(id, status);
  assert.deepEqual(await next(), [
    ["worker.failed", { name, reason: problem }],
    ["worker.online", { name }],
    ["worker.offline", { name, reason: "it left" }],
  ]);
  await beat(id, "online");
  await api.call("POST", `/workerpool/workers/${id}/drain`);
  await api.call("POST", `/workerpool/workers/${id}/drain`);
  await api.call("POST", `/workerpool/workers/${id}/resume`);
  await api.call("POST", `/workerpool/workers/${id}/resume`);
  await api.call("POST", `/workerpool/workers/${id}/drain`);
  await beat(id, "online");
  await beat(id, "offline");
  assert.deepEqual(await next(), [
    ["worker.online", { name }],
    ["worker.draining", { name }],
    ["worker.online", { name }],
    ["worker.draining", { name }],
    ["worker.drained", { name, reason: "it left" }],
  ]);
  await api.call("POST", `/workerpool/workers/${id}/resume`);
  await beat(id, "online");
  clock.advance(60_000);
  await grid.workers.markLost();
  await grid.workers.markLost();
  clock.advance(200 * 3_600_000);
  await grid.workers.prune();
  assert.deepEqual(await next(), [
    ["worker.online", { name }],
    ["worker.offline", { name, reason: "it sent no heartbeat in time" }],
    ["worker.deregistered", {
      name,
      reason: "it was offline for the retention time",
    }],
  ]);
});

Deno.test("a worker that registers again has one event for each process, and one when it returns", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const api = createApiClient(grid);
  await api.pool();
  const next = follow(api, "worker.*");
  const secret = "s".repeat(43);
  const register = async (instance: string, fields = {}) => {
    const { status, body, text } = await api.call(
      "POST",
      "/workerpool/workers",
      {
        work_pool_id: "pool",
        name: "w",
        secret,
        instance_id: `01a20ad2-9f3a-7b64-8a55-6c1e7f0b2d3${instance}`,
        ...fields,
      },
    );
    assert.equal(status, 201, text);
    return body.worker.id;
  };
  const id = await register("1");
  await register("1");
  await register("2", { id });
  await register("2", { id });
  assert.deepEqual(await next(), [
    ["worker.registered", { name: "w" }],
    ["worker.registered", { name: "w" }],
  ]);
  clock.advance(60_000);
  await grid.workers.markLost();
  await register("2");
  const seen = await next();
  assert.deepEqual(seen.map(([type]: [string]) => type), [
    "worker.offline",
    "worker.online",
  ]);
  const stolen = await api.call("POST", "/workerpool/workers", {
    work_pool_id: "pool",
    name: "w",
    secret: "x".repeat(43),
  });
  assert.equal(stolen.status, 409);
  assert.deepEqual(await next(), []);
  const { status } = await api.call("DELETE", `/workerpool/workers/${id}`);
  assert.equal(status, 204);
  assert.deepEqual(await next(), [["worker.deregistered", { name: "w" }]]);
});

Deno.test("a worker that has not yet adopted its browsers is online afterwards, and has no failure", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const next = follow(api, "worker.*");
  const id = await api.worker({ name: "w" });
  for (const status of ["failed", "online"]) {
    await api.call("PUT", `/workerpool/workers/${id}/heartbeat`, {
      sessions: [],
      status,
      provider_details: {},
    });
  }
  assert.deepEqual(await next(), [
    ["worker.registered", { name: "w" }],
    ["worker.online", { name: "w" }],
  ]);
});

/** Reads all rows that a change writes. */
async function readRows({ core: { db } }: TestGrid): Promise<string> {
  const results = await db.client.batch(
    ["work_pools", "workers", "sessions"].map((table) =>
      `SELECT id, status FROM ${table} ORDER BY id`
    ),
    "read",
  );
  return JSON.stringify(results.map(({ rows }) => rows));
}

Deno.test("a change whose event cannot be written is not made", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const id = await api.worker();
  const session = await api.session();
  await grid.core.db.client.execute(`CREATE TRIGGER full BEFORE INSERT ON events
    BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`);
  const before = await readRows(grid);
  const changes = [
    ["POST", "/workerpool/pools", { name: "other", provider_type: "local" }],
    ["PATCH", "/workerpool/pools/pool", { priority: 1 }],
    ["POST", "/workerpool/pools/pool/pause"],
    ["POST", "/workerpool/workers", { work_pool_id: "pool", name: "new" }],
    ["POST", `/workerpool/workers/${id}/drain`],
    ["DELETE", `/workerpool/workers/${id}`],
    ["POST", "/sessions", {}],
    ["DELETE", `/sessions/${session.id}`],
    ["POST", `/workerpool/workers/${id}/claim-session`],
  ] as const;
  for (const [method, path, json] of changes) {
    const { status, text } = await api.call(method, path, json);
    assert.ok(status >= 400, `${method} ${path}: ${text}`);
    assert.equal(await readRows(grid), before, `${method} ${path}`);
  }
});
