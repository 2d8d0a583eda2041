import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { testGrid } from "../../support/grid.ts";
import { readMetrics, scrape } from "../../support/metrics.ts";

Deno.test("requests are counted by their declared route, method and status", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  await api.call("GET", `/sessions/${id}`);
  await api.call("GET", `/sessions/${crypto.randomUUID()}`);
  await api.call("GET", "/sessions?limit=nonsense");
  const values = await scrape(grid);
  const expected = {
    'browsergrid_http_requests_total{route="/v1/sessions/{id}",method="GET",code="200"}':
      1,
    'browsergrid_http_requests_total{route="/v1/sessions/{id}",method="GET",code="404"}':
      1,
    'browsergrid_http_requests_total{route="/v1/sessions",method="GET",code="422"}':
      1,
    'browsergrid_http_requests_total{route="/v1/sessions",method="POST",code="201"}':
      1,
    'browsergrid_http_request_seconds_count{route="/v1/sessions/{id}",method="GET"}':
      2,
  };
  for (const [series, value] of Object.entries(expected)) {
    assert.equal(values.get(series), value, series);
  }
});

Deno.test("hostile paths, methods and names of pools add no series and break no line", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const api = createApiClient(grid);
  const name = 'a"b\\c';
  await grid.core.db.client.execute("SELECT 1");
  await api.pool();
  await grid.core.db.client.execute({
    sql: "UPDATE work_pools SET name = ?",
    args: [`${name}\n# HELP x`],
  });
  const attack = async (path: string, method = "GET") => {
    const response = await grid.request(path, { method });
    await response.body?.cancel();
  };
  const attackAll = async (at: number) => {
    await attack(`/v1/sessions/${crypto.randomUUID()}`);
    await attack(`/${at}/"x"} 1`);
    await attack(`/v1/nothing/${at}?a=${at}`);
    await attack("/v1/sessions", `M${at}`);
    await attack(`/v1/workerpool/pools/${at}/pressure`);
  };
  await attackAll(0);
  const before = new Set((await scrape(grid)).keys());
  for (let at = 1; at <= 50; at++) await attackAll(at);
  clock.advance(1_000);
  const text = await readMetrics(grid);
  const series = text.split("\n").filter((line) => line && line[0] !== "#");
  const grown = series.map((line) => line.slice(0, line.lastIndexOf(" ")))
    .filter((each) => !before.has(each) && !each.includes('"/metrics"'));
  assert.deepEqual(grown, []);
  for (const line of series) {
    assert.match(
      line,
      /^[a-z_]+(\{([a-z]+="([^"\\\n]|\\["\\n])*",?)*\})? \S+$/,
    );
  }
  assert.ok(
    text.includes(`browsergrid_queue_length{pool="a\\"b\\\\c\\n# HELP x"} 0`),
  );
});

Deno.test("calls of the database and its locks are counted, and a pass of the reconciler", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const values = await scrape(grid);
  const count = (op: string) =>
    values.get(`browsergrid_database_seconds_count{op="${op}"}`) ?? 0;
  assert.ok(count("read") > 0);
  assert.ok(count("write") > 0);
  assert.equal(values.get('browsergrid_database_busy_total{op="write"}'), 0);
  const lag = values.get("browsergrid_reconciler_lag_seconds") ?? -1;
  assert.ok(lag >= 0 && lag < 60, String(lag));
});
