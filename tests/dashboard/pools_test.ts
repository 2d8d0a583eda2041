import assert from "node:assert/strict";
import { findCurrentFailure } from "../../src/dashboard/page/pools/current_failure.ts";
import { createApiClient } from "../support/api.ts";
import { type TestGrid, testGrid } from "../support/grid.ts";
import { hasBrowser, startBrowser } from "./page_scene.ts";
import { failMachine } from "./realistic_grid.ts";

Deno.test({
  name:
    "a pool whose workers the server starts shows its machines and why they fail, without a command that starts a worker",
  ignore: !hasBrowser(),
  async fn() {
    await using grid = await testGrid({ listen: true });
    const api = createApiClient(grid);
    const pool = await api.pool({
      provider_type: "docker",
      provider_config: { image: "chrome", shm_size: "1G" },
      min_ready: 1,
      ready_max_age_minutes: 90,
    });
    await failMachine(grid, pool.id);
    await recordFailure(grid, pool.id);
    await api.session();
    await using browser = await startBrowser();
    const { page, shows, faults } = await browser.open(
      `${grid.url}/ui/pools/${pool.id}`,
    );
    await shows(".counts div", /^Starting1$/);
    await shows(".counts div", /^Workers wanted[1-9]/);
    await shows(".machine-failure.current", /ago\): .*quota of cores/);
    await shows("td.reason", /^quota of cores$/);
    await shows(".empty", /The server starts workers here/);
    await shows(".options li", /^image chrome$/);
    await shows(".details div", /^Age of warm browsersat most 1 h 30 min$/);
    await shows(".details div", /^Created\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    const text = await page.$eval("main", (main) => main.textContent ?? "");
    assert.doesNotMatch(text, /browsergrid worker/);
    for (const path of ["/", "/ui/pools"]) {
      await page.goto(grid.url + path);
      await shows("td .warning", /Machine failed 2 min ago: .*quota of cores/);
    }
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "a pool with workers that are online is deleted only if the question about them is answered too",
  ignore: !hasBrowser(),
  async fn() {
    await using grid = await testGrid({ listen: true });
    const api = createApiClient(grid);
    const { id } = await api.pool();
    await api.worker();
    await using browser = await startBrowser();
    const { page, shows, faults } = await browser.open(
      `${grid.url}/ui/pools/${id}`,
    );
    await shows(".more-workers", /browsergrid worker --work-pool-id pool/);
    await page.click(".heading button.danger");
    await page.click("dialog[open] button.danger");
    await shows("dialog[open] [role=alert]", /Cannot delete/);
    await page.click("dialog[open] input[type=checkbox]");
    await page.click("dialog[open] button.danger");
    await shows(".empty-title", /There is no work pool/);
    assert.deepEqual(faults, []);
  },
});

/** Records the event of a machine that failed. */
async function recordFailure(
  { core: { db } }: TestGrid,
  pool: string,
): Promise<void> {
  await db.client.execute({
    sql:
      "INSERT INTO events (type, timestamp, work_pool_id, data) VALUES ('pool.machine_failed', ?, ?, ?)",
    args: [Date.now(), pool, JSON.stringify({ reason: "quota of cores" })],
  });
}

Deno.test("a failure of a machine is current for an hour, while the pool has fewer workers than it needs", () => {
  const at = "2026-11-30T12:00:00.000Z";
  const failure = { reason: "quota reached", at };
  const counts = {
    requested: 1,
    starting: 0,
    running: 0,
    draining: 0,
    removing: 0,
  };
  const machines = { ...counts, last_failure: failure };
  const now = Date.parse(at);
  const load = { machines, wanted_workers: 2, workers_online: 1 };
  const hour = 60 * 60_000;
  assert.equal(findCurrentFailure(load, now + hour - 1), failure);
  for (
    const [other, time] of [
      [load, now + hour],
      [{ ...load, workers_online: 2 }, now],
      [{ ...load, machines: { ...counts, last_failure: null } }, now],
      [{ ...load, machines: null }, now],
    ] as const
  ) {
    assert.equal(findCurrentFailure(other, time), undefined);
  }
});
