import assert from "node:assert/strict";
import { reconcileOnce } from "../../../src/reconciler/reconciler.ts";
import { createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { testGrid } from "../../support/grid.ts";
import { readMetrics, scrape, type Scraped } from "../../support/metrics.ts";

const ENDPOINT = "ws://127.0.0.1:9/devtools/browser/x";

function assertValues(
  values: Scraped,
  expected: Readonly<Record<string, number | undefined>>,
): void {
  for (const [series, value] of Object.entries(expected)) {
    assert.equal(values.get(series), value, series);
  }
}

Deno.test("waits, starts and durations of sessions are observed from their real changes", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const api = createApiClient(grid);
  await api.pool();
  const workerId = await api.worker();
  await api.session();
  clock.advance(3_000);
  const claimed = await api.claim(workerId);
  assert.ok(claimed);
  clock.advance(400);
  const running = { endpoint: ENDPOINT, warm: true };
  await api.report(workerId, claimed, "running", running);
  await api.report(workerId, claimed, "running", running);
  clock.advance(20_000);
  await api.report(workerId, claimed, "running", running);
  clock.advance(20_000);
  await api.report(workerId, claimed, "completed");
  await api.report(workerId, claimed, "completed");
  const start = 'pool="pool",provider="local",warm="true"';
  assertValues(await scrape(grid), {
    'browsergrid_queue_wait_seconds_bucket{pool="pool",le="2.5"}': 0,
    'browsergrid_queue_wait_seconds_bucket{pool="pool",le="5.0"}': 1,
    'browsergrid_queue_wait_seconds_sum{pool="pool"}': 3,
    'browsergrid_queue_wait_seconds_count{pool="pool"}': 1,
    [`browsergrid_session_start_seconds_sum{${start}}`]: 0.4,
    [`browsergrid_session_start_seconds_count{${start}}`]: 1,
    'browsergrid_session_duration_seconds_sum{pool="pool"}': 40,
    'browsergrid_session_duration_seconds_count{pool="pool"}': 1,
    'browsergrid_sessions_total{pool="pool",result="completed",reason="worker_report"}':
      1,
  });
});

Deno.test("ends are counted once each, with the rule that ended them", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const api = createApiClient(grid);
  await api.pool();
  const stopped = await api.session();
  await api.call("DELETE", `/sessions/${stopped.id}`);
  await api.call("DELETE", `/sessions/${stopped.id}`);
  await api.running();
  await api.session({ queue_timeout_seconds: 10 });
  clock.advance(31_000);
  await reconcileOnce(grid);
  await reconcileOnce(grid);
  const ended = (result: string, reason: string) =>
    `browsergrid_sessions_total{pool="pool",result="${result}",reason="${reason}"}`;
  const values = await scrape(grid);
  assertValues(values, {
    [ended("completed", "request")]: 1,
    [ended("crashed", "lease_lost")]: 1,
    [ended("failed", "queue_deadline")]: 1,
    'browsergrid_lease_lost_total{pool="pool"}': 1,
    'browsergrid_workers{pool="pool",status="offline"}': 1,
  });
  const all = [...values].filter(([series]) =>
    series.startsWith("browsergrid_sessions_total")
  );
  assert.equal(all.length, 3);
});

Deno.test("a claim that is repeated, and a session that is queued again, are not a second wait", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  await api.session();
  await api.claim(worker);
  clock.advance(31_000);
  await reconcileOnce(grid);
  const other = await api.worker();
  assert.ok(await api.claim(other));
  const path = `/workerpool/workers/${other}/claim-session`;
  const request = { request_id: crypto.randomUUID() };
  await api.session();
  for (let at = 0; at < 3; at++) await api.call("POST", path, request);
  assertValues(await scrape(grid), {
    'browsergrid_queue_wait_seconds_count{pool="pool"}': 2,
    'browsergrid_lease_lost_total{pool="pool"}': 1,
  });
});

Deno.test("what was counted for a deleted pool is forgotten, and a renamed pool keeps it", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  await api.call("DELETE", `/sessions/${id}`);
  const renamed = await api.call("PATCH", "/workerpool/pools/pool", {
    name: "other",
  });
  assert.equal(renamed.status, 200, renamed.text);
  const series = (pool: string) =>
    `browsergrid_sessions_total{pool="${pool}",result="completed",reason="request"}`;
  assert.match(
    await readMetrics(grid),
    new RegExp(RegExp.escape(series("other"))),
  );
  await api.call("DELETE", "/workerpool/pools/other?force=true");
  for (let at = 0; at < 3; at++) {
    clock.advance(1_000);
    assert.ok(!(await scrape(grid)).has(series("other")));
  }
  const counter = [...grid.core.metrics].find(({ declaration }) =>
    declaration.name === "browsergrid_sessions_total"
  );
  assert.deepEqual([...counter?.read() ?? []], []);
});
