import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { createWebhook } from "./scene.ts";

Deno.test("deliveries are listed by status, over pages that read a limited number of them", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const webhook = await createWebhook(api, "https://hooks.invalid/");
  await grid.core.db.client.execute({
    sql: `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
      WHERE i < 4500) INSERT INTO webhook_deliveries (id, webhook_id, message_id,
      type, subject, data, timestamp, status, attempts, ended_at)
      SELECT i, ?, 'm' || i, 'pool.updated', 's', '{}', 1,
      CASE WHEN i <= 3 THEN 'failed' WHEN i = 4500 THEN 'pending'
        ELSE 'delivered' END, 1, iif(i = 4500, NULL, 1) FROM n`,
    args: [webhook.id],
  });
  const list = async (query: string) => {
    const answer = await api.call("GET", `${webhook.path}/deliveries?${query}`);
    const { items, next_cursor } = answer.body;
    return [items.map(({ id }: { readonly id: number }) => id), next_cursor];
  };
  assert.deepEqual(await list("status=pending"), [[4_500], "2501"]);
  assert.deepEqual(await list("status=delivered&limit=2"), [
    [4_499, 4_498],
    "4498",
  ]);
  assert.deepEqual(await list("status=failed"), [[], "2501"]);
  assert.deepEqual(await list("status=failed&cursor=2501"), [[], "501"]);
  assert.deepEqual(await list("status=failed&cursor=501&limit=2"), [
    [3, 2],
    "2",
  ]);
  assert.deepEqual(await list("status=failed&cursor=2"), [[1], null]);
  assert.deepEqual(await list("cursor=3"), [[2, 1], null]);
  const unknown = await api.call(
    "GET",
    `${webhook.path}/deliveries?status=lost`,
  );
  assertRefused(unknown, { status: 422, code: "invalid_request" });
  assert.match(unknown.text, /pending.*delivered.*failed/);
});
