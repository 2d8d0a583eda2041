import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { keyedGrid } from "../../support/keys.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("status_reason names the strongest reason why a session waits, and its place in the queue, in one round trip", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ max_sessions: 2 });
  const first = await api.session();
  const { id } = await api.session();
  const reason = async (of = id) => {
    const before = grid.core.db.trips();
    const { body } = await api.call("GET", `/sessions/${of}`);
    assert.equal(grid.core.db.trips() - before, 1);
    return body.status_reason;
  };
  const listed = async () => {
    const { body } = await api.call("GET", "/sessions?status=pending&limit=1");
    return body.items[0].status_reason;
  };
  const offline = 'no worker of its work pool "pool" is online';
  assert.equal(await reason(), `${offline}; it is number 2 in the queue`);
  assert.equal(
    await reason(first.id),
    `${offline}; it is number 1 in the queue`,
  );
  assert.equal(await listed(), offline);
  await api.call("POST", "/workerpool/pools/pool/pause");
  assert.match(await reason(), /^its work pool "pool" is paused; /);
  assert.match(await listed(), /^its work pool "pool" is paused$/);
  await api.call("POST", "/workerpool/pools/pool/resume");
  const worker = await api.worker({ capacity: 1 });
  assert.match(
    await reason(),
    / has room for another session; it is number 2 /,
  );
  await api.claim(worker);
  assert.equal(
    await reason(),
    'all workers of its work pool "pool" are busy; it is number 1 in the queue',
  );
  await api.session();
  await api.claim(await api.worker({ capacity: 5 }));
  const third = (await api.session({ priority: 5 })).id;
  const full = 'its work pool "pool" has reached its max_sessions of 2';
  assert.equal(await reason(third), `${full}; it is number 1 in the queue`);
  assert.equal(await listed(), full);
  assert.equal(await reason(id), null, "it no longer waits");
});

Deno.test("POST sessions?wait returns why the session still waits at its timeout", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { status, body } = await api.call("POST", "/sessions?wait=0.05", {});
  assert.equal(status, 202);
  assert.match(body.status_reason, /^no worker .* is online; it is number 1 /);
});

Deno.test("status_reason names the key's max_sessions after the reason of a failed start", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const client = await grid.asNew({ max_sessions: 1 });
  await client.session();
  const { id } = await client.session();
  const worker = await grid.admin.worker({ capacity: 9 });
  const claimed = await grid.admin.claim(worker);
  assert.ok(claimed);
  const reason = async (of: string) =>
    (await client.call("GET", `/sessions/${of}`)).body.status_reason;
  assert.match(await reason(id), /^its key has reached its max_sessions; /);
  await grid.admin.report(worker, claimed, "released", {
    status_reason: "its engine was away",
  });
  assert.match(
    await reason(claimed.id),
    /^its engine was away; a worker of its work pool "pool" has room for another session/,
  );
});

Deno.test("at most a thousand sessions of a long queue are counted", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  const { client } = grid.core.db;
  const { columns } = await client.execute("SELECT * FROM sessions LIMIT 0");
  const copied = columns.map((name) =>
    name === "id" ? "s.id || n" : `s.${name}`
  );
  await client.execute(`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL
      SELECT n + 1 FROM numbers WHERE n < 2000)
    INSERT INTO sessions SELECT ${
    copied.join(", ")
  } FROM sessions AS s, numbers`);
  const { body } = await api.call("GET", `/sessions/${id}`);
  assert.match(
    body.status_reason,
    /; 1000 or more sessions wait in the queue$/,
  );
});

Deno.test("status_reason tells that machines of the pool start, or that they fail, without words of the infrastructure", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const pool = await api.pool();
  const { id } = await api.session();
  const { client } = grid.core.db;
  const reason = async () =>
    (await api.call("GET", `/sessions/${id}`)).body.status_reason;
  const request = (workerId: string) =>
    client.execute({
      sql: `INSERT INTO machines (worker_id, pool_id, status, attempts,
        requested_at, status_at) VALUES (?, ?, 'starting', 0, 1, 1)`,
      args: [workerId, pool.id],
    });
  await request("one");
  assert.match(await reason(), / is online, and a machine starts; it is /);
  await request("two");
  assert.match(await reason(), / is online, and 2 machines start; it is /);
  await client.execute({
    sql: `INSERT INTO scaled_pools (pool_id, name, provider_type,
      provider_config, pool_updated_at, lease_expires_at, pass, surplus_least,
      failures, last_failure) VALUES (?, 'pool', 'x', '', 1, 1, 1, 0, 2, ?)`,
    args: [pool.id, "quota exceeded"],
  });
  const { body } = await api.call("GET", "/sessions?status=pending");
  assert.equal(
    body.items[0].status_reason,
    'no worker of its work pool "pool" is online, and the last machine failed: "pool pressure" shows admins why',
  );
});
