import assert from "node:assert/strict";
import { assertRefused } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { BOOTSTRAP_KEY, keyedGrid } from "../../support/keys.ts";
import { logRecords } from "../../support/log_records.ts";
import { readMetrics } from "../../support/metrics.ts";

Deno.test("a key with the role metrics reads the metrics, and keys of clients and workers do not", async () => {
  await using grid = await keyedGrid();
  for (const role of ["metrics", "admin"] as const) {
    const { key } = await grid.key({ role });
    await readMetrics(grid, { authorization: `Bearer ${key}` });
  }
  for (const role of ["client", "worker"] as const) {
    const { key } = await grid.key({ role });
    const response = await grid.request("/metrics", {
      headers: { "x-api-key": key },
    });
    assert.equal(response.status, 403);
    assert.equal((await response.json()).code, "forbidden");
  }
});

Deno.test("a key with the role metrics cannot be restricted to a work pool", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const answer = await grid.admin.call("POST", "/keys", {
    name: "prometheus",
    role: "metrics",
    work_pool_id: "pool",
  });
  assertRefused(answer, { status: 422, code: "invalid_request" });
});

Deno.test("without a key, the metrics of a grid with keys are shown only if metrics_open is set, and to known hosts", async () => {
  await using closed = await keyedGrid();
  const response = await closed.request("/metrics");
  await response.body?.cancel();
  assert.equal(response.status, 401);
  await using open = await keyedGrid({ settings: { metrics_open: true } });
  await readMetrics(open);
  await readMetrics(open, { "x-api-key": "wrong" });
  const rebound = await open.request("http://attacker.example/metrics");
  assert.equal((await rebound.json()).code, "host_not_allowed");
  const foreign = await open.request("/metrics", {
    headers: { origin: "https://attacker.example" },
  });
  await foreign.body?.cancel();
  assert.equal(foreign.headers.get("access-control-allow-origin"), null);
});

Deno.test("a scrape is not logged at info, nor limited by the rate limit", async () => {
  await using grid = await testGrid({
    settings: {
      api_key: BOOTSTRAP_KEY,
      middleware: [{
        name: "rate_limit",
        options: {
          per_key: { requests_per_second: 0.001, burst: 1 },
          per_address: { requests_per_second: 0.001, burst: 1 },
        },
      }],
    },
  });
  await using logs = await logRecords();
  for (let at = 0; at < 5; at++) {
    await readMetrics(grid, { "x-api-key": BOOTSTRAP_KEY });
  }
  const ofRequests = logs.records.filter(({ properties }) =>
    properties.path === "/metrics"
  );
  assert.deepEqual(
    ofRequests.map(({ level }) => level),
    Array(5).fill("debug"),
  );
});
