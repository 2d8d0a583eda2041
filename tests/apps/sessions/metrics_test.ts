import assert from "node:assert/strict";
import { reconcileOnce } from "../../../src/reconciler/reconciler.ts";
import { type Api, assertRefused, createApiClient } from "../../support/api.ts";
import { createFakeClock, type FakeClock } from "../../support/clock.ts";
import { testGrid } from "../../support/grid.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A running session on a clock at the start of an hour. */
async function openScene() {
  const clock = createFakeClock();
  clock.advance(HOUR - clock.now() % HOUR);
  const grid = await testGrid({ clock });
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running({
    resource_limits: { timeout_minutes: 10_000 },
  });
  return {
    clock,
    grid,
    api,
    workerId,
    claimed,
    path: `/sessions/${claimed.id}/metrics`,
    async measure(cpu_percent: number | null, bytes: number) {
      const result = await api.report(workerId, claimed, "running", {
        metrics: {
          cpu_percent,
          memory_mb: 100 + bytes,
          network_rx_bytes: bytes,
          network_tx_bytes: null,
          disk_read_bytes: 7,
          disk_write_bytes: bytes * 2,
        },
      });
      assert.equal(result, "accepted");
    },
    [Symbol.asyncDispose]: () => grid[Symbol.asyncDispose](),
  };
}

/** Returns the start of each item in ms from `start`, with some of its values. */
async function list(
  api: Api,
  path: string,
  start: number,
): Promise<readonly (readonly unknown[])[]> {
  const { status, body, text } = await api.call("GET", path);
  assert.equal(status, 200, text);
  return body.items.map((item: Record<string, unknown>) => [
    Date.parse(String(item.timestamp)) - start,
    item.cpu_percent,
    item.cpu_percent_max,
    item.network_rx_bytes,
    item.samples,
  ]);
}

Deno.test("GET metrics groups by intervals: means, maxima and the last values of counters", async () => {
  await using s = await openScene();
  const start = s.clock.now();
  for (const [cpu, bytes] of [[10, 1], [30, 5], [null, 9], [50, 9]] as const) {
    await s.measure(cpu, bytes);
    s.clock.advance(15 * SECOND);
  }
  await s.measure(70, 20);
  assert.deepEqual(await list(s.api, `${s.path}?interval=1m`, start), [
    [0, 30, 50, 9, 4],
    [MINUTE, 70, 70, 20, 1],
  ]);
  assert.deepEqual(await list(s.api, `${s.path}?interval=10s`, start), [
    [0, 10, 10, 1, 1],
    [10 * SECOND, 30, 30, 5, 1],
    [30 * SECOND, null, null, 9, 1],
    [40 * SECOND, 50, 50, 9, 1],
    [MINUTE, 70, 70, 20, 1],
  ]);
  assert.deepEqual(await list(s.api, `${s.path}?interval=1h`, start), [
    [0, 40, 70, 20, 5],
  ]);
  // Without an interval: the last ones, as stored.
  const { body } = await s.api.call("GET", `${s.path}?limit=2`);
  assert.deepEqual(body.next_since, null);
  assert.deepEqual(
    body.items,
    [45 * SECOND, MINUTE].map((at, n) => ({
      session_id: s.claimed.id,
      cpu_percent: [50, 70][n],
      cpu_percent_max: [50, 70][n],
      memory_mb: [109, 120][n],
      memory_mb_max: [109, 120][n],
      network_rx_bytes: [9, 20][n],
      network_tx_bytes: null,
      disk_read_bytes: 7,
      disk_write_bytes: [18, 40][n],
      samples: 1,
      timestamp: new Date(start + at).toISOString(),
    })),
  );
});

Deno.test("pages of metrics from a time on contain each interval and measurement once", async () => {
  await using s = await openScene();
  const start = s.clock.now();
  for (let n = 0; n < 9; n++) {
    await s.measure(n, n);
    // With minutes between that have no measurement.
    s.clock.advance(n === 4 ? 5 * MINUTE : 30 * SECOND);
  }
  for (const [interval, limit, expected] of [["1m", 2, 5], ["raw", 4, 9]]) {
    const since = new Date(start).toISOString();
    const times: number[] = [];
    for (let next: string | null = since; next !== null;) {
      const query = `interval=${interval}&limit=${limit}&since=${next}`;
      const { body } = await s.api.call("GET", `${s.path}?${query}`);
      assert.ok(body.items.length <= Number(limit));
      times.push(
        ...body.items.map(({ timestamp }: { timestamp: string }) =>
          Date.parse(timestamp)
        ),
      );
      next = body.next_since;
    }
    assert.equal(times.length, expected, `${interval}`);
    assert.deepEqual(times, [...new Set(times)].sort((a, b) => a - b));
  }
  const between = `since=${new Date(start + MINUTE).toISOString()}&until=${
    new Date(start + 2 * MINUTE).toISOString()
  }`;
  for (const interval of ["raw", "10s"]) {
    const found = await list(
      s.api,
      `${s.path}?${between}&interval=${interval}`,
      start,
    );
    assert.deepEqual(found.map(([at]) => at), [MINUTE, 90 * SECOND]);
  }
});

Deno.test("after an hour the measurements of a minute are one row, and points of longer intervals stay the same", async () => {
  await using s = await openScene();
  const start = s.clock.now();
  await measureFor(s, 10 * MINUTE);
  const minutes = await list(s.api, `${s.path}?interval=1m`, start);
  const hour = await list(s.api, `${s.path}?interval=1h`, start);
  assert.equal(minutes.length, 10);
  const count = async () =>
    Number(
      (await s.grid.core.db.client.execute(
        "SELECT count(*) AS n FROM session_metrics",
      )).rows[0]?.n,
    );
  const before = await count();
  await reconcileOnce(s.grid);
  assert.equal(await count(), before, "none is an hour old");
  s.clock.advance(HOUR - 5 * MINUTE);
  const { counts } = await reconcileOnce(s.grid);
  assert.equal(counts.sessionMetrics, 20, "those of the first five minutes");
  assert.equal(await count(), before - 15);
  s.clock.advance(HOUR);
  await reconcileOnce(s.grid);
  assert.equal(await count(), 10);
  assert.deepEqual(await list(s.api, `${s.path}?interval=1m`, start), minutes);
  assert.deepEqual(await list(s.api, `${s.path}?interval=1h`, start), hour);
  assert.deepEqual(
    await list(s.api, s.path, start),
    minutes,
    "the stored rows in order of time",
  );
  await reconcileOnce(s.grid);
  assert.equal(await count(), 10);
});

/** Measures four times a minute. */
async function measureFor(
  { clock, measure }: {
    readonly clock: FakeClock;
    readonly measure: (cpu: number, bytes: number) => Promise<void>;
  },
  ms: number,
): Promise<void> {
  for (let n = 0; n < ms / (15 * SECOND); n++) {
    await measure(n % 7, n);
    clock.advance(15 * SECOND);
  }
}

Deno.test("two servers that replace old measurements at once lose none and count none twice", async () => {
  await using s = await openScene();
  await using other = await testGrid({
    clock: s.clock,
    dataDir: s.grid.dataDir,
  });
  await measureFor(s, 5 * MINUTE);
  s.clock.advance(2 * HOUR);
  await Promise.all([
    s.grid.sessions.deadlines.rollUpMetrics(),
    other.sessions.deadlines.rollUpMetrics(),
  ]);
  const { rows } = await s.grid.core.db.client.execute(
    "SELECT count(*) AS n, sum(samples) AS samples FROM session_metrics",
  );
  assert.deepEqual({ ...rows[0] }, { n: 5, samples: 20 });
});

Deno.test("a wrong interval, time or limit of metrics is rejected", async () => {
  await using s = await openScene();
  for (const query of ["interval=2m", "since=yesterday", "limit=1001"]) {
    assertRefused(
      await s.api.call("GET", `${s.path}?${query}`),
      { status: 422, code: "invalid_request" },
      /interval|since|limit/,
    );
  }
});

Deno.test("heartbeats record measurements of the worker's host, which outlive the worker until their retention ends", async () => {
  await using s = await openScene();
  const start = s.clock.now();
  const path = `/workerpool/workers/${s.workerId}/metrics`;
  const beat = async (metrics?: Record<string, unknown>) => {
    const { status, text } = await s.api.call(
      "PUT",
      `/workerpool/workers/${s.workerId}/heartbeat`,
      { current_load: 3, metrics },
    );
    assert.equal(status, 200, text);
  };
  await beat({ cpu_percent: 20, memory_usage_mb: 10, disk_usage_mb: null });
  await beat();
  s.clock.advance(30 * SECOND);
  await beat({ cpu_percent: 40, memory_usage_mb: 30, disk_usage_mb: 5 });
  const { body } = await s.api.call("GET", path);
  assert.equal(body.items.length, 2);
  const grouped = await s.api.call("GET", `${path}?interval=1m`);
  assert.deepEqual(grouped.body, {
    items: [{
      worker_id: s.workerId,
      cpu_percent: 30,
      cpu_percent_max: 40,
      memory_usage_mb: 20,
      memory_usage_mb_max: 30,
      disk_usage_mb: 5,
      current_load: 3,
      current_load_max: 3,
      samples: 2,
      timestamp: new Date(start).toISOString(),
    }],
    next_since: null,
  });
  s.clock.advance(2 * HOUR);
  assert.equal(await s.grid.workers.rollUpMetrics(), 2);
  assert.deepEqual((await s.api.call("GET", path)).body, grouped.body);
  s.clock.advance(8 * 24 * HOUR);
  await s.grid.workers.prune();
  const { rows } = await s.grid.core.db.client.execute(
    "SELECT 1 FROM worker_metrics",
  );
  assert.equal(rows.length, 0);
  assertRefused(
    await s.api.call("GET", "/workerpool/workers/none/metrics"),
    { status: 404, code: "worker_not_found" },
    /none/,
  );
});
