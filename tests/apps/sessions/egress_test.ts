import assert from "node:assert/strict";
import { type Api, assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";

/** Returns isolation and egress of the next session that the worker claims. */
async function claimed(api: Api, worker: string) {
  const session = await api.claim(worker);
  assert.ok(session);
  return [session.isolated, session.egress.mode];
}

/** Returns the specification of the worker's warm browser. */
async function ready(api: Api, worker: string) {
  const path = `/workerpool/workers/${worker}/heartbeat`;
  const { body } = await api.call("PUT", path, {});
  return [body.ready.isolated, body.ready.egress];
}

Deno.test("a session of a client key is isolated and denied private addresses; an admin's session is open", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const worker = await grid.admin.worker();
  const client = await grid.asNew();
  const admin = await grid.asNew({ role: "admin" });
  await client.session();
  assert.deepEqual(await claimed(grid.admin, worker), [true, "no_private"]);
  await admin.session();
  assert.deepEqual(await claimed(grid.admin, worker), [false, "open"]);
  await grid.admin.session();
  assert.deepEqual(await claimed(grid.admin, worker), [false, "open"]);
  // The owner decides, even after its key was revoked.
  await client.session();
  for (
    const { id, role } of (await grid.admin.call("GET", "/keys")).body.items
  ) {
    if (role === "client") await grid.admin.call("DELETE", `/keys/${id}`);
  }
  assert.deepEqual(await claimed(grid.admin, worker), [true, "no_private"]);
});

Deno.test("without keys no session is isolated, and a pool's egress applies to every session", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const { id } = await api.pool();
  const worker = await api.worker();
  await api.session();
  assert.deepEqual(await claimed(api, worker), [false, "open"]);
  for (const egress of ["none", "no_private", "open", "auto"]) {
    const path = `/workerpool/pools/${id}`;
    assert.equal((await api.call("PATCH", path, { egress })).status, 200);
    await api.session();
    const mode = egress === "auto" ? "open" : egress;
    assert.deepEqual(await claimed(api, worker), [false, mode]);
  }
});

Deno.test("an open pool opens the egress of client sessions, which stay isolated", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool({ egress: "open" });
  const worker = await grid.admin.worker();
  await (await grid.asNew()).session();
  assert.deepEqual(await claimed(grid.admin, worker), [true, "open"]);
});

Deno.test("a claim carries the pool's egress_allow and name; clients can neither set them nor see the claim", async () => {
  await using grid = await keyedGrid();
  const egress_allow = ["10.1.0.0/16", "*.example.test:443"];
  await grid.admin.pool({ egress_allow });
  const worker = await grid.admin.worker();
  const client = await grid.asNew();
  await client.session();
  const session = await grid.admin.claim(worker);
  assert.deepEqual(session?.egress, {
    mode: "no_private",
    allow: egress_allow,
    pool: "pool",
  });
  for (const fields of [{ egress: "open" }, { isolated: false }]) {
    assertRefused(await client.call("POST", "/sessions", fields), {
      status: 422,
      code: "invalid_request",
    }, /egress|isolated/);
  }
});

Deno.test("an entry of egress_allow that names no network or host is rejected with its index", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const { id } = await api.pool();
  const patch = (egress_allow: unknown) =>
    api.call("PATCH", `/workerpool/pools/${id}`, { egress_allow });
  const wrong = { status: 422, code: "invalid_request" };
  assertRefused(
    await patch(["10.0.0.0/8", "http://a.test/"]),
    wrong,
    /egress_allow\.1: expected a network/,
  );
  assertRefused(
    await patch(Array.from({ length: 101 }, (_, at) => `10.0.0.${at}`)),
    wrong,
    /egress_allow/,
  );
  const kept = await patch(["[fd00::/8]:443"]);
  assert.deepEqual(kept.body.egress_allow, ["[fd00::/8]:443"]);
  // A change of another field keeps it.
  const other = await api.call("PATCH", `/workerpool/pools/${id}`, {
    priority: 3,
  });
  assert.deepEqual(other.body.egress_allow, ["[fd00::/8]:443"]);
});

Deno.test("warm browsers are isolated while a client key may use the pool, and not after its revocation", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool({ name: "other" });
  await grid.admin.pool({ min_ready: 1, egress_allow: ["10.0.0.1"] });
  const worker = await grid.admin.worker();
  const policy = (mode: string) => ({
    mode,
    allow: ["10.0.0.1"],
    pool: "pool",
  });
  const open = [false, policy("open")];
  assert.deepEqual(await ready(grid.admin, worker), open);
  await grid.key({ role: "worker" });
  await grid.key({ work_pool_id: "other" });
  assert.deepEqual(
    await ready(grid.admin, worker),
    open,
    "the key is for another pool",
  );
  const { id } = await grid.key({ work_pool_id: "pool" });
  const before = grid.core.db.trips();
  const isolated = [true, policy("no_private")];
  assert.deepEqual(await ready(grid.admin, worker), isolated);
  assert.equal(grid.core.db.trips() - before, 1);
  await grid.admin.call("DELETE", `/keys/${id}`);
  assert.deepEqual(await ready(grid.admin, worker), open);
});
