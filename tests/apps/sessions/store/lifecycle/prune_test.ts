import assert from "node:assert/strict";
import { type Api, createApiClient } from "../../../../support/api.ts";
import { createFakeClock } from "../../../../support/clock.ts";
import { type TestGrid, testGrid } from "../../../../support/grid.ts";

const HOUR = 3_600_000;

async function count(grid: TestGrid, table: string): Promise<number> {
  const { rows } = await grid.core.db.client.execute(
    `SELECT count(*) AS n FROM ${table}`,
  );
  return Number(rows[0]?.n);
}

/** Creates an ended session with `metrics` measurements. */
async function ended(
  grid: TestGrid,
  api: Api,
  { metrics = 0 } = {},
): Promise<string> {
  const { id } = await api.session();
  await api.call("DELETE", `/sessions/${id}`);
  const times = (sql: string, most: number) =>
    grid.core.db.client.execute({
      sql: `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        ${sql} FROM n LIMIT ${most}`,
      args: [id],
    });
  await times(
    "INSERT INTO session_metrics (session_id, timestamp) SELECT ?, i",
    metrics,
  );
  return id;
}

Deno.test("old sessions are deleted in small parts, completely, and every other row stays", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({
    clock,
    settings: { retention_hours: 1 },
  });
  const api = createApiClient(grid);
  await api.pool();
  await ended(grid, api, { metrics: 12_000 });
  await ended(grid, api, { metrics: 3_000 });
  for (let at = 0; at < 220; at++) await ended(grid, api);
  clock.advance(HOUR + 1);
  const young = await ended(grid, api, { metrics: 7 });
  const live = (await api.session()).id;
  const tables = ["session_metrics", "sessions"];
  const sizes = () => Promise.all(tables.map((table) => count(grid, table)));
  const { client } = grid.core.db;
  const batch = client.batch.bind(client);
  let before = await sizes();
  let steps = 0;
  client.batch = async (...given) => {
    const results = await batch(...given);
    const after = await sizes();
    const parts = before.map((size, at) => size - (after[at] ?? 0));
    assert.ok((parts[0] ?? 0) <= 1_000, `${parts[0]} metrics at once`);
    assert.ok((parts[1] ?? 0) <= 100, `${parts[1]} sessions at once`);
    if (parts.some((part) => part > 0)) steps++;
    before = after;
    return results;
  };
  assert.equal(await grid.sessions.deadlines.prune(), 222);
  assert.ok(steps <= 18, `${steps} steps`);
  client.batch = batch;
  assert.equal(await grid.sessions.deadlines.prune(), 0);
  const { items } = await grid.sessions.list({ limit: 10 });
  assert.deepEqual(items.map(({ id }) => id), [live, young]);
  assert.deepEqual(await sizes(), [7, 2]);
});

Deno.test("any number of sessions that are kept for their keys does not block the deletion of others", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({
    clock,
    settings: { retention_hours: 1 },
  });
  await createApiClient(grid).pool();
  for (let at = 0; at < 210; at++) {
    await ended(grid, createApiClient(grid, { "idempotency-key": `k${at}` }));
  }
  clock.advance(1);
  await ended(grid, createApiClient(grid), { metrics: 10 });
  clock.advance(HOUR + 1);
  assert.equal(await grid.sessions.deadlines.prune(), 1);
  assert.equal(await grid.sessions.deadlines.prune(), 0);
  assert.equal(await count(grid, "session_metrics"), 0);
  clock.advance(23 * HOUR);
  assert.equal(await grid.sessions.deadlines.prune(), 210);
  assert.equal(await count(grid, "idempotency_keys"), 0);
});

Deno.test("timers have their turn between two steps, and a pass without anything to delete takes one round trip", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({
    clock,
    settings: { retention_hours: 1 },
  });
  const api = createApiClient(grid);
  await api.pool();
  for (let at = 0; at < 250; at++) await ended(grid, api);
  clock.advance(HOUR + 1);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  assert.equal(await grid.sessions.deadlines.prune(), 250);
  clearInterval(timer);
  assert.ok(turns >= 2, `${turns} turns`);
  const before = grid.core.db.trips();
  assert.equal(await grid.sessions.deadlines.prune(), 0);
  assert.equal(grid.core.db.trips() - before, 1);
});
