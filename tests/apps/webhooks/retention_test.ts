import assert from "node:assert/strict";
import { pruneDeliveries } from "../../../src/apps/webhooks/store/prune.ts";
import {
  findDue,
  leaseDeliveries,
} from "../../../src/apps/webhooks/store/lease.ts";
import { storeOutcomes } from "../../../src/apps/webhooks/store/outcome.ts";
import type { Api } from "../../support/api.ts";
import { createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";
import { explain, recordStatements } from "../../support/query_plans.ts";
import { createWebhook } from "./scene.ts";

const URL = "https://hooks.invalid/";

const DAY_MS = 24 * 3_600_000;

/** A delivery to insert. */
interface NewDelivery {
  readonly webhookId: string;
  /** Null: it has not ended. */
  readonly endedAt: number | null;
  readonly dueAt?: number;
  /** @default {1} */
  readonly count?: number;
}

async function insert(
  { core: { db } }: TestGrid,
  { webhookId, endedAt, dueAt, count = 1 }: NewDelivery,
): Promise<void> {
  await db.client.execute({
    sql: `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
        WHERE i < ?)
      INSERT INTO webhook_deliveries (webhook_id, message_id, type, subject,
        data, timestamp, status, attempts, ended_at, due_at)
      SELECT ?, 'm' || hex(randomblob(8)), 'session.created', 's' || i, '{}', 1,
        iif(? IS NULL, 'pending', 'delivered'), 0, ?, ? FROM n`,
    args: [count, webhookId, endedAt, endedAt, dueAt ?? null],
  });
}

async function countDeliveries(
  { core: { db } }: TestGrid,
  condition = "1",
): Promise<number> {
  const { rows } = await db.client.execute(
    `SELECT count(*) AS n FROM webhook_deliveries WHERE ${condition}`,
  );
  return Number(rows[0]?.n);
}

/** Prunes until nothing is left to prune. */
async function pruneAll(
  { core: { db } }: TestGrid,
  times: { readonly before: number; readonly now: number },
): Promise<number> {
  for (let total = 0;;) {
    const { pruned, hasMore } = await pruneDeliveries(db, times);
    total += pruned;
    if (!hasMore) return total;
  }
}

Deno.test("deliveries that ended before the retention time are deleted, in steps of 500, and no others", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const { id: webhookId } = await createWebhook(api, URL, { active: false });
  await insert(grid, { webhookId, endedAt: 99, count: 1_200 });
  await insert(grid, { webhookId, endedAt: 100, count: 3 });
  await insert(grid, { webhookId, endedAt: null, dueAt: 200, count: 2 });
  const times = { before: 100, now: 1_000 };
  const first = await pruneDeliveries(grid.core.db, times);
  assert.deepEqual(first, { pruned: 500, hasMore: true });
  assert.equal(await pruneAll(grid, times), 700);
  assert.equal(await countDeliveries(grid), 5);
});

Deno.test("deliveries of a deleted webhook are deleted, and then the webhook", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const { id: webhookId, path } = await createWebhook(api, URL);
  const kept = await createWebhook(api, URL, { active: false });
  await insert(grid, { webhookId, endedAt: 500, count: 600 });
  await insert(grid, { webhookId, endedAt: null, dueAt: 9e15, count: 5 });
  await insert(grid, { webhookId: kept.id, endedAt: 500 });
  await api.call("DELETE", path);
  await pruneAll(grid, { before: 100, now: 1_000 });
  assert.equal(await countDeliveries(grid), 1);
  const { rows } = await grid.core.db.client.execute("SELECT id FROM webhooks");
  assert.deepEqual(rows.map(({ id }) => id), [kept.id]);
});

Deno.test("a delivery fails that waits longer than the retention time for a webhook that is not active", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const { id: webhookId } = await createWebhook(api, URL, { active: false });
  await insert(grid, { webhookId, endedAt: null, dueAt: 99 });
  await insert(grid, { webhookId, endedAt: null, dueAt: 100 });
  assert.equal(await pruneAll(grid, { before: 100, now: 1_000 }), 1);
  const failed = "status = 'failed' AND due_at IS NULL AND ended_at = 1000";
  assert.equal(await countDeliveries(grid, failed), 1);
  assert.equal(await countDeliveries(grid, "due_at = 100"), 1);
});

Deno.test("waiting deliveries of webhooks end when their key is revoked or has expired, and no others", async () => {
  const clock = createFakeClock();
  await using grid = await keyedGrid({ clock });
  const expires_at = new Date(clock.now() + DAY_MS).toISOString();
  const keys = [
    await grid.key(),
    await grid.key({ expires_at }),
    await grid.key(),
  ];
  const hooks: string[] = [];
  for (const api of [...keys.map(({ key }) => grid.as(key)), grid.admin]) {
    const { id } = await createWebhook(api, URL);
    hooks.push(id);
    // The second one of a subject has no time yet.
    await insert(grid, { webhookId: id, endedAt: null, dueAt: 9e15 });
    await insert(grid, { webhookId: id, endedAt: null });
  }
  const listWaiting = async () => {
    const { rows } = await grid.core.db.client.execute(
      "SELECT DISTINCT webhook_id AS id FROM webhook_deliveries WHERE ended_at IS NULL",
    );
    return rows.map(({ id }) => id).sort();
  };
  const prune = () => pruneAll(grid, { before: 0, now: clock.now() });
  assert.equal(await prune(), 0);
  await grid.admin.call("DELETE", `/keys/${keys[0]?.id}`);
  assert.equal(await prune(), 2);
  assert.deepEqual(await listWaiting(), hooks.slice(1).sort());
  clock.advance(DAY_MS + 1);
  assert.equal(await prune(), 2);
  assert.deepEqual(await listWaiting(), hooks.slice(2).sort());
  const error = "error LIKE '%revoked or has expired'";
  assert.equal(await countDeliveries(grid, error), 4);
});

Deno.test("statements of the dispatcher and the retention read an index each, with many deliveries", async () => {
  await using grid = await testGrid();
  const { db } = grid.core;
  const api: Api = createApiClient(grid);
  const ids: string[] = [];
  for (let count = 0; count < 20; count++) {
    ids.push((await createWebhook(api, URL, { active: count % 2 === 0 })).id);
  }
  for (const webhookId of ids) {
    await insert(grid, { webhookId, endedAt: 1_000, count: 5_000 });
    await insert(grid, { webhookId, endedAt: null, dueAt: 9e15, count: 500 });
  }
  const acts: Readonly<Record<string, () => Promise<unknown>>> = {
    due: () => findDue(db),
    lease: () =>
      leaseDeliveries(db, { token: "t", now: 1, limit: 10, busy: ["a"] }),
    delivered: () =>
      storeOutcomes(db, [createOutcome({ status: "delivered" })]),
    failed: () => storeOutcomes(db, [createOutcome({ status: "failed" })]),
    gone: () => storeOutcomes(db, [createOutcome({ isGone: true })]),
    prune: () => pruneDeliveries(db, { before: 1, now: 1 }),
  };
  for (const statistics of ["", "ANALYZE"]) {
    if (statistics !== "") await db.client.execute(statistics);
    for (const [name, act] of Object.entries(acts)) {
      for (const each of await recordStatements(db, act)) {
        const steps = await explain(db, each);
        const reads = steps.filter((step) =>
          /SCAN (d|x|webhook_deliveries)\b/.test(step)
        );
        assert.deepEqual(reads, [], `${name}: ${each.sql}`);
      }
    }
  }
  const began = performance.now();
  await findDue(db);
  const ms = performance.now() - began;
  assert.ok(ms < 200, `${ms} ms`);
});

function createOutcome(fields: Readonly<Record<string, unknown>>) {
  return {
    id: 1,
    webhookId: "a",
    token: "t",
    now: 1,
    status: "failed",
    dueAt: null,
    statusCode: 200,
    durationMs: 1,
    error: null,
    response: null,
    isGone: false,
    isCounted: true,
    ...fields,
  } as const;
}
