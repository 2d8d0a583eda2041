/**
 * Fairness between callers: limits of keys, and the order of sessions between owners.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KeyInput } from "../../../../../src/apps/keys/schemas.ts";
import { type Api, assertRefused } from "../../../../support/api.ts";
import { type KeyedGrid, keyedGrid } from "../../../../support/keys.ts";

/** Creates a client; returns it with the owner id of its sessions. */
async function client(
  grid: KeyedGrid,
  fields: Partial<KeyInput> = {},
): Promise<Api & { readonly owner: string }> {
  const { key, id } = await grid.key({ role: "client", ...fields });
  return { ...grid.as(key), owner: id };
}

/** Creates `count` sessions in sequence. */
async function ask(api: Api, count: number, fields = {}): Promise<void> {
  for (let each = 0; each < count; each++) await api.session(fields);
}

/** Claims until the queue is empty, and returns the owners of the claimed sessions in order. */
async function claimAll(
  { admin, core }: KeyedGrid,
  worker: string,
  limit = Infinity,
): Promise<readonly string[]> {
  const owners: string[] = [];
  while (owners.length < limit) {
    const claimed = await admin.claim(worker);
    if (!claimed) break;
    const { rows } = await core.db.client.execute({
      sql: "SELECT owner FROM sessions WHERE id = ?",
      args: [claimed.id],
    });
    owners.push(String(rows[0]?.[0]));
  }
  return owners;
}

Deno.test("a greedy owner's queue does not delay another's first session, and both share free places", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const [greedy, modest] = [await client(grid), await client(grid)];
  await ask(greedy, 30);
  const worker = await grid.admin.worker({ capacity: 4 });
  assert.deepEqual(
    await claimAll(grid, worker),
    Array(4).fill(greedy.owner),
    "alone it has everything",
  );
  await ask(modest, 5);
  const { core: { db: { client: database } } } = grid;
  const finishOldest = () =>
    database.execute(`UPDATE sessions SET status = 'completed', ended_at = 1
      WHERE id = (SELECT session_id FROM events
        WHERE type = 'session.starting' AND session_id IN (
          SELECT id FROM sessions WHERE status = 'starting')
        ORDER BY sequence LIMIT 1)`);
  const given: string[] = [];
  for (let each = 0; each < 8; each++) {
    await finishOldest();
    given.push(...await claimAll(grid, worker));
  }
  const [first] = given;
  assert.equal(first, modest.owner, "the first that becomes free");
  const ofModest = given.filter((owner) => owner === modest.owner).length;
  assert.deepEqual([ofModest, given.length], [4, 8], "each holds half");
});

Deno.test("a claim of several sessions alternates between owners, the oldest session first if they hold the same number", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const [one, two, three] = [
    await client(grid),
    await client(grid),
    await client(grid),
  ];
  await ask(one, 6);
  await ask(two, 1);
  await ask(three, 3);
  const worker = await grid.admin.worker({ capacity: 6 });
  const path = `/workerpool/workers/${worker}/claim-session`;
  const { body } = await grid.admin.call("POST", path, { count: 6, room: 6 });
  assert.equal(body.sessions.length, 6);
  const { rows } = await grid.core.db.client.execute(
    "SELECT owner, count(*) FROM sessions WHERE status = 'starting' GROUP BY owner",
  );
  const shares = new Map(rows.map((row) => [row[0], row[1]]));
  assert.deepEqual(
    [one, two, three].map(({ owner }) => shares.get(owner)),
    [3, 1, 2],
  );
});

Deno.test("a client cannot exceed the priority of its pool or the max_priority of its key; a default priority is capped", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool({ priority: 3 });
  const forbidden = { status: 403, code: "forbidden" };
  const plain = await client(grid);
  const asked = (api: Api, priority?: number) =>
    api.call("POST", "/sessions", {
      ...priority === undefined ? {} : { priority },
    });
  assertRefused(await asked(plain, 4), forbidden);
  assert.equal((await asked(plain, 3)).body.priority, 3);
  assert.equal((await asked(plain)).body.priority, 3);
  const low = await client(grid, { max_priority: -5 });
  assertRefused(await asked(low, -4), forbidden);
  assert.equal((await asked(low)).body.priority, -5);
  const high = await client(grid, { max_priority: 10 });
  assert.equal((await asked(high, 10)).body.priority, 10);
  const repeated = await grid.request("/v1/sessions", {
    method: "POST",
    json: { priority: 11 },
    headers: {
      "x-api-key": (await grid.key({ max_priority: 10 })).key,
      "idempotency-key": "once",
    },
  });
  assert.equal(repeated.status, 403, await repeated.text());
  assert.equal((await asked(grid.admin, 1_000)).body.priority, 1_000);
});

Deno.test("a key never exceeds max_sessions, across pools and within one claim, and other keys are still served", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  await grid.admin.pool({ name: "other" });
  const limited = await client(grid, { max_sessions: 2, max_priority: 5 });
  const modest = await client(grid);
  for (const priority of [5, 5, 0, 0, -1]) {
    await ask(limited, 1, { priority, work_pool_id: "pool" });
  }
  await ask(limited, 1, { work_pool_id: "other" });
  await ask(modest, 1, { work_pool_id: "pool" });
  const elsewhere = await grid.admin.worker({ work_pool_id: "other" });
  assert.deepEqual(await claimAll(grid, elsewhere), [limited.owner]);
  const worker = await grid.admin.worker({ capacity: 9 });
  const path = `/workerpool/workers/${worker}/claim-session`;
  const { body } = await grid.admin.call("POST", path, { count: 9 });
  assert.equal(body.sessions.length, 2, "one of each");
  assert.equal(await grid.admin.claim(worker), undefined);
  const [first] = body.sessions;
  await grid.admin.report(worker, first, "failed");
  assert.deepEqual(await claimAll(grid, worker), [limited.owner]);
});

Deno.test("a key queues at most max_queue sessions in addition to those that could start at once, also concurrently", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  await grid.admin.worker({ capacity: 2 });
  const limited = await client(grid, { max_sessions: 1, max_queue: 3 });
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => limited.call("POST", "/sessions", {})),
  );
  const refused = answers.filter(({ status }) => status !== 201);
  assert.equal(refused.length, 12 - (3 + 1), "max_queue, and one could start");
  for (const each of refused) {
    assertRefused(each, { status: 429, code: "queue_full" }, /max_queue of 3/);
    assert.match(each.headers.get("retry-after") ?? "", /^\d+$/);
  }
  const other = await client(grid);
  assert.equal((await other.call("POST", "/sessions", {})).status, 201);
});

Deno.test("the long queue of a key at its limit does not block other owners", async () => {
  await using grid = await keyedGrid();
  const pool = await grid.admin.pool();
  const limited = await client(grid, { max_sessions: 1, max_priority: 9 });
  const modest = await client(grid);
  const worker = await grid.admin.worker({ capacity: 9 });
  await ask(limited, 2, { priority: 9 });
  await ask(modest, 1);
  assert.deepEqual(await claimAll(grid, worker, 1), [limited.owner]);
  const { client: database } = grid.core.db;
  const { columns } = await database.execute("SELECT * FROM sessions LIMIT 0");
  const copied = columns.map((name) =>
    name === "id" ? "s.id || n" : `s.${name}`
  );
  await database.execute({
    sql: `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL
        SELECT n + 1 FROM numbers WHERE n < 5000)
      INSERT INTO sessions SELECT ${copied.join(", ")}
      FROM sessions AS s, numbers
      WHERE s.owner = ? AND s.status = 'pending' AND s.work_pool_id = ?`,
    args: [limited.owner, pool.id],
  });
  assert.deepEqual(await claimAll(grid, worker), [modest.owner]);
});
