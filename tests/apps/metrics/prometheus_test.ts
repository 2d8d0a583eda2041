import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";
import { readMetrics } from "../../support/metrics.ts";
import {
  prometheusMissing,
  runPromtool,
  startPrometheus,
} from "../../support/prometheus.ts";

const ignore = prometheusMissing !== undefined;

if (ignore) {
  // deno-lint-ignore no-console -- the reason of a skipped test
  console.log(`skipped: Prometheus: ${prometheusMissing}`);
}

const ALERTS = new URL("../../../docs/prometheus/alerts.yml", import.meta.url);

const DASHBOARD = new URL(
  "../../../docs/grafana/browsergrid.json",
  import.meta.url,
);

Deno.test({
  name: "promtool finds no fault in the metrics of a grid with sessions",
  ignore,
  async fn() {
    await using grid = await testGrid({ listen: true });
    const api = createApiClient(grid);
    await api.pool();
    const { workerId, claimed } = await api.running();
    await api.report(workerId, claimed, "completed");
    await api.session();
    const text = await readMetrics(grid);
    assert.match(text, /^browsergrid_session_duration_seconds_count/m);
    assert.match(text, /^browsergrid_webhook_deliveries_waiting 0$/m);
    const checked = await runPromtool(["check", "metrics"], text);
    assert.deepEqual(checked, { success: true, text: "" });
  },
});

Deno.test({
  name: "a Prometheus with a metrics key scrapes a grid and answers queries",
  ignore,
  async fn() {
    await using grid = await keyedGrid({ listen: true });
    await grid.admin.pool({ name: "browsers" });
    await grid.admin.session();
    const { key } = await grid.key({ role: "metrics" });
    await using prometheus = await startPrometheus(grid.url, key);
    const [queue] = await prometheus.query(
      'max by (pool) (browsergrid_queue_length{pool="browsers"})',
    );
    assert.deepEqual(queue, { metric: { pool: "browsers" }, value: 1 });
    const [up] = await prometheus.query('up{job="browsergrid"}');
    assert.equal(up?.value, 1);
    const [scrapes] = await prometheus.query(
      'browsergrid_http_requests_total{route="/metrics",code="200"} > 1',
    );
    assert.ok(scrapes);
  },
});

Deno.test({
  name: "promtool accepts the alert rules of the documentation",
  ignore,
  async fn() {
    const args = ["check", "rules", fileURLToPath(ALERTS)];
    const { success, text } = await runPromtool(args);
    assert.ok(success, text);
  },
});

Deno.test("the alert rules and the dashboard name only metrics that a server has", async () => {
  await using grid = await testGrid({ listen: true });
  const known = new Set(
    [...grid.core.metrics].map(({ declaration: { name } }) => name),
  );
  const texts = await Promise.all(
    [ALERTS, DASHBOARD].map((each) => Deno.readTextFile(each)),
  );
  JSON.parse(texts[1] ?? "");
  const named = texts.flatMap((text) =>
    [...text.matchAll(/\bbrowsergrid_[a-z_]+/g)].map(([name]) =>
      name.replace(/_(bucket|sum|count)$/, "")
    )
  );
  assert.ok(named.length > 20);
  assert.deepEqual(named.filter((name) => !known.has(name)), []);
});
