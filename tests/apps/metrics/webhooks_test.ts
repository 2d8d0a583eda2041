import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { eventually } from "../../support/eventually.ts";
import { testGrid } from "../../support/grid.ts";
import { scrape } from "../../support/metrics.ts";
import {
  RECEIVER_SETTINGS,
  startReceiver,
} from "../../support/webhook_receiver.ts";

Deno.test("attempts of deliveries are counted by their result, and those that wait", async () => {
  await using receiver = await startReceiver(({ path }) => ({
    status: path === "/broken" ? 500 : 204,
  }));
  await using grid = await testGrid({
    listen: true,
    settings: RECEIVER_SETTINGS,
  });
  const api = createApiClient(grid);
  await api.pool();
  const hook = { name: "a", event_pattern: "session.*" };
  const broken = { ...hook, url: new URL("/broken", receiver.url).href };
  await api.call("POST", "/webhooks", { ...hook, url: receiver.url });
  await api.call("POST", "/webhooks", broken);
  await api.call("POST", "/webhooks", { ...broken, max_attempts: 1 });
  await api.session();
  const name = "browsergrid_webhook_deliveries";
  await eventually("the attempts are counted", async () => {
    const values = await scrape(grid);
    assert.deepEqual(
      ["delivered", "retried", "failed"].map((result) =>
        values.get(`${name}_total{result="${result}"}`)
      ),
      [2, 1, 2],
    );
    // The first one is repeated later, and the second one waits for it.
    assert.equal(values.get(`${name}_waiting`), 2);
    return true;
  });
});
