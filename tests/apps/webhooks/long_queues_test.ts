import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { eventually } from "../../support/eventually.ts";
import { testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";
import {
  RECEIVER_SETTINGS,
  startReceiver,
} from "../../support/webhook_receiver.ts";
import { createWebhook } from "./scene.ts";

Deno.test("pool.queue_long is delivered once for each time that a queue becomes longer than allowed", async () => {
  await using receiver = await startReceiver();
  await using grid = await testGrid({
    listen: true,
    settings: RECEIVER_SETTINGS,
  });
  const api = createApiClient(grid);
  const pool = await api.pool();
  await createWebhook(api, receiver.url, {
    event_pattern: undefined,
    template: "queue_longer_than",
    queue_longer_than: 1,
  });
  const check = async () => await grid.webhooks?.checkQueues();
  const first = await api.session();
  assert.equal(await check(), 0);
  const second = await api.session();
  assert.equal(await check(), 1);
  await api.session();
  assert.equal(await check(), 0);
  for (const { id } of [first, second]) {
    await api.call("DELETE", `/sessions/${id}`);
  }
  assert.equal(await check(), 0);
  await api.session();
  assert.equal(await check(), 1);
  const [request] = await receiver.waitFor(2);
  const { type, data } = request?.body ?? {};
  assert.equal(type, "pool.queue_long");
  assert.deepEqual(data.pool, { id: pool.id, name: "pool" });
  assert.deepEqual(data.event.data, { waiting: 2, queue_longer_than: 1 });
  assert.equal(data.event.id, request?.headers.get("webhook-id"));
});

Deno.test("two servers that check at the same time deliver a long queue once", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  await createWebhook(api, "https://hooks.invalid/", {
    event_pattern: "pool.queue_long",
    queue_longer_than: 0,
  });
  await api.session();
  const checks = [1, 2, 3].map(() => grid.webhooks?.checkQueues());
  const counts = await Promise.all(checks);
  assert.equal(counts.reduce((sum = 0, count = 0) => sum + count, 0), 1);
});

Deno.test("a client's webhook counts the client's own sessions, and one of a pool or labels only theirs", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  await grid.admin.pool({ name: "other" });
  const [one, other] = [await grid.asNew(), await grid.asNew()];
  const fields = {
    name: "a",
    url: "https://hooks.invalid/",
    event_pattern: "pool.queue_long",
    queue_longer_than: 0,
  };
  const create = async (api: typeof one, more: object) =>
    (await api.call("POST", "/webhooks", { ...fields, ...more })).body.id;
  const own = await create(one, {});
  const ofPool = await create(grid.admin, { work_pool_id: "other" });
  const labelled = await create(grid.admin, { labels: { team: "a" } });
  const countDeliveries = async (id: string) =>
    (await grid.admin.call("GET", `/webhooks/${id}/deliveries`)).body.items
      .length;
  await other.session({ work_pool_id: "pool" });
  await eventually(
    "the check finds nothing",
    async () => await grid.webhooks?.checkQueues() === 0,
  );
  await one.session({ work_pool_id: "pool", labels: { team: "a" } });
  assert.equal(await grid.webhooks?.checkQueues(), 2);
  await other.session({ work_pool_id: "other" });
  assert.equal(await grid.webhooks?.checkQueues(), 1);
  const counts = [own, ofPool, labelled].map(countDeliveries);
  assert.deepEqual(await Promise.all(counts), [1, 1, 1]);
});
