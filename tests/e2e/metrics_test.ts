import assert from "node:assert/strict";
import { dockerMissing } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import { browserGrid } from "./browser_grid.ts";

const BUSY =
  "{ const end = performance.now() + 1500; while (performance.now() < end); }";

for (const provider of ["local", "docker"] as const) {
  Deno.test({
    name:
      `a worker with ${provider} measures the browsers of its sessions and its host`,
    ignore: provider === "docker" && dockerMissing !== undefined,
    async fn() {
      await using grid = await browserGrid(provider, {
        BROWSERGRID_METRICS_SECONDS: "1",
        BROWSERGRID_HEARTBEAT_SECONDS: "1",
      });
      const { client } = grid;
      await using page = await grid.page({});
      const [session] = (await client.listSessions()).items;
      const { id, worker_id } = session ?? assert.fail("no session");
      await page.call("Runtime.evaluate", { expression: BUSY });
      const list = () => client.listSessionMetrics(id, { interval: "10s" });
      await eventually("a busy browser is measured", async () => {
        const { items } = await list();
        return items.some(({ cpu_percent_max }) => (cpu_percent_max ?? 0) > 20);
      });
      const { items: [first] } = await list();
      assert.ok(first);
      const { memory_mb } = first;
      assert.ok(memory_mb && memory_mb > 20 && memory_mb < 4_000);
      const isCounted = first.network_rx_bytes !== null;
      assert.equal(isCounted, provider === "docker");
      const host = await client.listWorkerMetrics(worker_id ?? "");
      for (const each of host.items) {
        assert.ok(each.cpu_percent !== null && each.cpu_percent <= 100);
        assert.ok((each.memory_usage_mb ?? 0) > 0);
        assert.ok((each.disk_usage_mb ?? 0) > 0);
        assert.ok((each.current_load ?? 2) <= 1);
      }
      assert.ok(host.items.length > 0);
    },
  });
}
