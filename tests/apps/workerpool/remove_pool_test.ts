import assert from "node:assert/strict";
import { removePool } from "../../../src/apps/workerpool/store/remove_pool.ts";
import { createApiClient } from "../../support/api.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";

/** Creates a pool with `count` ended sessions, the first of which has many measurements; returns its id. */
async function poolWithHistory(
  grid: TestGrid,
  count: number,
): Promise<string> {
  const api = createApiClient(grid);
  const { id } = await api.pool();
  const first = (await api.session()).id;
  await api.call("DELETE", `/sessions/${first}`);
  const { client } = grid.core.db;
  const { columns } = await client.execute("SELECT * FROM sessions LIMIT 0");
  const cells = columns.map((name) =>
    name === "id" ? "printf('%s-%d', s.id, n.i)" : `s.${name}`
  );
  const numbers = (most: number) =>
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${most})`;
  await client.execute(
    `INSERT INTO sessions ${
      numbers(count - 1)
    } SELECT ${cells} FROM n, sessions AS s`,
  );
  await client.execute({
    sql: `INSERT INTO session_metrics (session_id, timestamp) ${
      numbers(2_500)
    } SELECT ?, i FROM n`,
    args: [first],
  });
  return id;
}

async function count({ core: { db } }: TestGrid, table: string) {
  const { rows } = await db.client.execute(
    `SELECT count(*) AS n FROM ${table}`,
  );
  return Number(rows[0]?.n);
}

Deno.test("a pool with a long history is deleted in small steps, completely", async () => {
  await using grid = await testGrid();
  const id = await poolWithHistory(grid, 450);
  const { client } = grid.core.db;
  const batch = client.batch.bind(client);
  const parts: number[] = [];
  let before = await count(grid, "sessions");
  client.batch = async (...given) => {
    const results = await batch(...given);
    const after = await count(grid, "sessions");
    parts.push(before - after);
    before = after;
    return results;
  };
  const { status } = await createApiClient(grid).call(
    "DELETE",
    `/workerpool/pools/${id}`,
  );
  client.batch = batch;
  assert.equal(status, 204);
  assert.ok(parts.every((part) => part <= 100), String(parts));
  for (
    const table of [
      "sessions",
      "session_metrics",
      "work_pools",
    ]
  ) {
    assert.equal(await count(grid, table), 0, table);
  }
});

Deno.test("a pool whose deletion is not finished is inactive, and the next request continues", async () => {
  await using grid = await testGrid();
  const id = await poolWithHistory(grid, 250);
  const { db } = grid.core;
  const values = { id, force: 0, now: 1 } as const;
  assert.equal(await removePool(db, values, () => true), "partial");
  const api = createApiClient(grid);
  const pool = await api.call("GET", `/workerpool/pools/${id}`);
  assert.equal(pool.body.status, "inactive");
  assert.notEqual(await count(grid, "sessions"), 0);
  assert.equal(await removePool(db, values, () => false), "removed");
  assert.equal(await count(grid, "sessions"), 0);
});

Deno.test("a pool in use loses nothing by a request to delete it", async () => {
  await using grid = await testGrid();
  const id = await poolWithHistory(grid, 150);
  const api = createApiClient(grid);
  const { id: live } = await api.session();
  const { status, body } = await api.call("DELETE", `/workerpool/pools/${id}`);
  assert.equal(status, 409);
  assert.equal(body.code, "pool_in_use");
  assert.equal(await count(grid, "sessions"), 151);
  assert.equal(await count(grid, "session_metrics"), 2_500);
  const pool = await api.call("GET", `/workerpool/pools/${id}`);
  assert.equal(pool.body.status, "active");
  assert.equal((await api.call("GET", `/sessions/${live}`)).status, 200);
});
