import assert from "node:assert/strict";
import { leaseDeliveries } from "../../../src/apps/webhooks/store/lease.ts";
import {
  type Outcome,
  storeOutcomes,
} from "../../../src/apps/webhooks/store/outcome.ts";
import { createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { createWebhook } from "./scene.ts";

const URL = "https://receiver.example/hook";

Deno.test("results of several webhooks are stored at once, except of a lost lease", async () => {
  await using grid = await testGrid();
  const { db, clock } = grid.core;
  const api = createApiClient(grid);
  await api.pool();
  const names = ["delivered", "failed", "gone", "lost"];
  const ids: string[] = [];
  for (const name of names) {
    ids.push((await createWebhook(api, URL, { name, active: true })).id);
  }
  await db.client.execute(
    "UPDATE webhooks SET failures = 3, failing_since = 1",
  );
  await api.call("POST", "/sessions", {});
  const now = clock.now() + 1;
  const leased = await leaseDeliveries(db, {
    token: "t",
    now,
    limit: 10,
    busy: [],
  });
  assert.equal(leased.length, 4);
  const toOutcome = (name: string): Outcome => ({
    id: leased.find(({ webhookName }) => webhookName === name)?.id ?? 0,
    webhookId: ids[names.indexOf(name)] ?? "",
    token: name === "lost" ? "other" : "t",
    now,
    status: name === "delivered" ? "delivered" : "failed",
    dueAt: null,
    statusCode: name === "gone" ? 410 : 200,
    durationMs: 5,
    error: name === "delivered" ? null : 'it said "no"',
    response: "\u{1f600}",
    isGone: name === "gone",
    isCounted: name !== "lost",
  });
  const due = await storeOutcomes(db, names.map(toOutcome));
  assert.ok(due.hasActive);
  const { rows } = await db.client.execute(
    `SELECT w.name, w.active, w.failures, d.status, d.status_code, d.duration_ms,
        d.error, d.response, d.ended_at IS NULL AS is_open, d.lease_token
      FROM webhooks AS w JOIN webhook_deliveries AS d ON d.webhook_id = w.id
      WHERE d.type = 'session.created' ORDER BY w.name`,
  );
  assert.deepEqual(rows.map((row) => Object.values(row)), [
    ["delivered", 1, 0, "delivered", 200, 5, null, "\u{1f600}", 0, null],
    ["failed", 0, 4, "failed", 200, 5, 'it said "no"', "\u{1f600}", 0, null],
    ["gone", 0, 3, "failed", 410, 5, 'it said "no"', "\u{1f600}", 0, null],
    ["lost", 1, 3, "pending", null, null, null, null, 1, "t"],
  ]);
});
