import assert from "node:assert/strict";
import fc from "fast-check";
import { computeShare } from "../../../src/apps/workers/ready.ts";
import { type Api, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { poolArbitrary } from "../workerpool/arbitraries.ts";

/** Returns the browsers that a worker must keep ready. */
async function getReady(
  api: Api,
  id: string,
  fields: Readonly<Record<string, unknown>> = {},
) {
  const path = `/workerpool/workers/${id}/heartbeat`;
  const { status, body, text } = await api.call("PUT", path, fields);
  assert.equal(status, 200, text);
  return body.ready;
}

Deno.test("a pool's min_ready is divided among its workers that start browsers, up to what they can use", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ min_ready: 5 });
  const one = await api.worker({ name: "one" });
  const two = await api.worker({ name: "two" });
  const counts = async () => [
    (await getReady(api, one))?.count,
    (await getReady(api, two))?.count,
  ];
  const change = async (fields: Readonly<Record<string, unknown>>) =>
    assert.equal(
      (await api.call("PATCH", "/workerpool/pools/pool", fields)).status,
      200,
    );
  assert.deepEqual(await counts(), [3, 2]);
  await api.call("POST", `/workerpool/workers/${one}/drain`);
  assert.deepEqual(await counts(), [undefined, 5]);
  await api.call("POST", `/workerpool/workers/${one}/resume`);
  assert.equal(await getReady(api, two, { status: "failed" }), undefined);
  assert.equal((await getReady(api, one)).count, 5);
  assert.deepEqual(await counts(), [5, 2], "the next heartbeat of the first");
  await change({ max_sessions_per_worker: 1 });
  assert.deepEqual(await counts(), [1, 1]);
  await change({ max_sessions_per_worker: null, max_sessions: 1 });
  assert.deepEqual(await counts(), [1, undefined]);
  await change({ max_sessions: null, min_ready: 100 });
  assert.deepEqual(await counts(), [5, 5], "their capacity");
  await api.call("POST", "/workerpool/pools/pool/pause");
  assert.deepEqual(await counts(), [undefined, undefined]);
  await api.call("POST", "/workerpool/pools/pool/resume");
  await change({ min_ready: 0 });
  assert.deepEqual(await counts(), [undefined, undefined]);
});

Deno.test("ready browsers have the pool's defaults; only the worker's heartbeat, which is one round trip, contains their secrets", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({
    min_ready: 1,
    ready_max_age_minutes: 1.5,
    default_headless: false,
    default_screen: { width: 800, height: 600 },
    default_proxy: {
      proxy_url: "http://proxy.example:3128",
      proxy_username: "me",
      proxy_password: "hush-proxy",
    },
    default_environment: { TOKEN: "hush-variable" },
    default_resource_limits: { cpu: 2, memory: "2G" },
  });
  const registered = await api.call("POST", "/workerpool/workers", {
    work_pool_id: "pool",
  });
  const worker = registered.body.worker.id;
  const before = grid.core.db.trips();
  const ready = await getReady(api, worker, { ready: 1 });
  assert.equal(grid.core.db.trips(), before + 1);
  const { count, max_age_ms, ...browser } = ready;
  assert.deepEqual([count, max_age_ms], [1, 90_000]);
  assert.equal(browser.proxy.proxy_password, "hush-proxy");
  await api.session();
  assert.partialDeepStrictEqual(await api.claim(worker), browser);
  for (
    const path of [
      "/workerpool/pools",
      "/workerpool/pools/pool",
      "/workerpool/pools/pool/pressure",
      "/workerpool/workers",
      `/workerpool/workers/${worker}`,
    ]
  ) {
    const { text } = await api.call("GET", path);
    assert.doesNotMatch(text, /hush/);
  }
  assert.doesNotMatch(registered.text, /hush/);
  const pressure = await api.call("GET", "/workerpool/pools/pool/pressure");
  assert.partialDeepStrictEqual(pressure.body, { ready: 1, min_ready: 1 });
});

Deno.test("a session with a browser that was kept ready is marked as warm, and so is its event", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const { id } = await api.session();
  const claimed = await api.claim(worker);
  assert.ok(claimed);
  await api.report(worker, claimed, "running", {
    endpoint: "ws://127.0.0.1:9/devtools/browser/x",
    warm: true,
  });
  const { body } = await api.call("GET", `/sessions/${id}?include=events`);
  assert.ok(body.warm);
  const started = body.events.find(({ event }: { event: string }) =>
    event === "browser_started"
  );
  assert.deepEqual(started.data, { warm: true });
});

Deno.test("computeShare() divides min_ready among the workers without a remainder", () => {
  fc.assert(fc.property(
    poolArbitrary,
    fc.integer({ min: 1, max: 20 }),
    (pool, sharers) => {
      const open = { ...pool, maxSessionsPerWorker: null };
      const shares = Array.from(
        { length: sharers },
        (_, before) =>
          computeShare({ pool: open, capacity: Infinity, sharers, before }),
      );
      const total = shares.reduce((sum, share) => sum + share, 0);
      assert.equal(
        total,
        Math.min(pool.minReady, pool.maxSessions ?? Infinity),
      );
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
    },
  ));
});

Deno.test("computeShare() returns no more than a worker can hold", () => {
  fc.assert(fc.property(
    poolArbitrary,
    fc.integer({ min: 1, max: 10 }),
    (pool, capacity) => {
      const share = computeShare({ pool, capacity, sharers: 1, before: 0 });
      assert.ok(share <= capacity);
      assert.ok(share <= (pool.maxSessionsPerWorker ?? Infinity));
    },
  ));
});
