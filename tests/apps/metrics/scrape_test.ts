import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { testGrid } from "../../support/grid.ts";
import { readMetrics, scrape } from "../../support/metrics.ts";

Deno.test("GET /metrics counts the sessions and workers of each pool", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const api = createApiClient(grid);
  await api.pool();
  await api.pool({ name: "other" });
  await api.running();
  await api.worker({ capacity: 4 });
  await api.session();
  clock.advance(7_000);
  const values = await scrape(grid);
  const expected = {
    'browsergrid_sessions{pool="pool",status="pending"}': 1,
    'browsergrid_sessions{pool="pool",status="starting"}': 0,
    'browsergrid_sessions{pool="pool",status="running"}': 1,
    'browsergrid_sessions{pool="other",status="pending"}': 0,
    'browsergrid_queue_length{pool="pool"}': 1,
    'browsergrid_queue_oldest_seconds{pool="pool"}': 7,
    'browsergrid_queue_oldest_seconds{pool="other"}': 0,
    'browsergrid_workers{pool="pool",status="online"}': 2,
    'browsergrid_workers{pool="pool",status="offline"}': 0,
    'browsergrid_worker_capacity{pool="pool"}': 9,
    'browsergrid_workers_wanted{pool="pool"}': 1,
    'browsergrid_workers_wanted{pool="other"}': 0,
    'browsergrid_machines{pool="pool",status="running"}': 0,
    'browsergrid_browsers_ready{pool="pool"}': 0,
    'browsergrid_worker_heartbeat_age_seconds{pool="pool"}': 7,
    'browsergrid_worker_heartbeat_age_seconds{pool="other"}': undefined,
    "browsergrid_database_up": 1,
    'browsergrid_build_info{version="0.0.0-test"}': 1,
  };
  for (const [series, value] of Object.entries(expected)) {
    assert.equal(values.get(series), value, series);
  }
});

Deno.test("GET /metrics costs one round trip a second, whatever the number of scrapers", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const { db } = grid.core;
  await readMetrics(grid);
  clock.advance(1_000);
  const before = db.trips();
  const texts = await Promise.all(
    Array.from({ length: 50 }, () => readMetrics(grid)),
  );
  await readMetrics(grid, { accept: "application/openmetrics-text" });
  assert.equal(db.trips() - before, 1);
  assert.equal(new Set(texts).size, 1);
  clock.advance(999);
  await readMetrics(grid);
  assert.equal(db.trips() - before, 1);
  clock.advance(1);
  await readMetrics(grid);
  assert.equal(db.trips() - before, 2);
});

Deno.test("GET /metrics is OpenMetrics if Accept prefers it, and plain text otherwise", async () => {
  await using grid = await testGrid();
  const accepts = {
    "": "text/plain",
    "*/*": "text/plain",
    "text/plain;version=0.0.4": "text/plain",
    "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;q=0.5":
      "application/openmetrics-text",
    "application/openmetrics-text;q=0.1,text/plain": "text/plain",
    "application/openmetrics-text;q=0": "text/plain",
    "Application/OpenMetrics-Text": "application/openmetrics-text",
    "application/json": "text/plain",
  };
  for (const [accept, type] of Object.entries(accepts)) {
    const response = await grid.request("/metrics", { headers: { accept } });
    const text = await response.text();
    const contentType = response.headers.get("content-type") ?? "";
    assert.equal(contentType.split(";")[0], type, accept);
    assert.match(response.headers.get("vary") ?? "", /\bAccept\b/);
    assert.equal(
      text.endsWith("# EOF\n"),
      type === "application/openmetrics-text",
      accept,
    );
  }
});

Deno.test("GET /metrics names the counters of OpenMetrics without _total, and their samples with it", async () => {
  await using grid = await testGrid();
  grid.core.metrics.counter({
    name: "browsergrid_things_total",
    help: 'Things, "quoted" \\ and\nbroken',
    labels: { kind: "Kind" },
    scope: "process",
  }).of('a"b\\c\nd').add(2);
  const series = 'browsergrid_things_total{kind="a\\"b\\\\c\\nd"} 2';
  const open = await readMetrics(grid, {
    accept: "application/openmetrics-text",
  });
  assert.ok(open.includes('Things, \\"quoted\\" '), open);
  assert.match(open, /^# TYPE browsergrid_things counter$/m);
  assert.ok(open.includes(`\n${series}\n`), open);
  const plain = await readMetrics(grid);
  assert.match(plain, /^# TYPE browsergrid_things_total counter$/m);
  assert.ok(plain.includes(`\n${series}\n`), plain);
  assert.ok(plain.includes('Things, "quoted" '), plain);
  assert.ok(plain.includes("\\\\ and\\nbroken"), plain);
});

Deno.test("GET /metrics leaves out what it cannot read, while the database does not answer", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  await createApiClient(grid).pool();
  await readMetrics(grid);
  clock.advance(1_000);
  const { client } = grid.core.db;
  await client.execute("ALTER TABLE work_pools RENAME TO hidden");
  const values = await scrape(grid);
  assert.equal(values.get("browsergrid_database_up"), 0);
  assert.ok(!values.has('browsergrid_queue_length{pool="pool"}'));
  await client.execute("ALTER TABLE hidden RENAME TO work_pools");
  clock.advance(1_000);
  const again = await scrape(grid);
  assert.equal(again.get("browsergrid_database_up"), 1);
  assert.equal(again.get('browsergrid_queue_length{pool="pool"}'), 0);
});

Deno.test("servers on one database show the same values of the database", async () => {
  await using one = await testGrid();
  await using other = await testGrid({ dataDir: one.dataDir });
  const api = createApiClient(one);
  await api.pool();
  await api.running();
  await api.session();
  const ofGrid = [...one.core.metrics].filter(({ declaration }) =>
    declaration.scope === "grid" && !declaration.name.endsWith("_seconds")
  ).map(({ declaration }) => declaration.name);
  assert.ok(ofGrid.length >= 5);
  const readGrid = async (grid: typeof one) =>
    [...await scrape(grid)].filter(([series]) =>
      ofGrid.includes(series.split("{")[0] ?? "")
    );
  const values = await readGrid(one);
  assert.ok(values.length >= 10);
  assert.deepEqual(await readGrid(other), values);
});
