import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { testGrid } from "../../support/grid.ts";
import { BOOTSTRAP_KEY, keyedGrid } from "../../support/keys.ts";

const UNKNOWN = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";
const DAY_MS = 86_400_000;

Deno.test("POST keys creates a key that no other response and no table contains", async () => {
  const clock = createFakeClock();
  await using grid = await keyedGrid({ clock });
  const { id: poolId } = await grid.admin.pool();
  const { status, headers, body } = await grid.admin.call("POST", "/keys", {
    name: " ci ",
    role: "client",
    work_pool_id: "pool",
    expires_in_days: 90,
  });
  assert.equal(status, 201);
  assert.equal(headers.get("location"), `/v1/keys/${body.id}`);
  assert.equal(headers.get("cache-control"), "no-store");
  const { id, key, prefix, created_at: _, ...rest } = body;
  assert.ok(key.startsWith(`${prefix}_`));
  assert.deepEqual(rest, {
    name: "ci",
    role: "client",
    work_pool_id: poolId,
    status: "active",
    expires_at: new Date(clock.now() + 90 * DAY_MS).toISOString(),
    last_used_at: null,
    max_priority: null,
    max_queue: null,
    max_sessions: null,
    revoked_at: null,
  });
  const { key: __, ...shown } = body;
  for (const ref of [id, prefix]) {
    const one = await grid.admin.call("GET", `/keys/${ref}`);
    assert.deepEqual(one.body, shown);
  }
  const list = await grid.admin.call("GET", "/keys");
  assert.deepEqual(list.body, { items: [shown], next_cursor: null });
  const rows = await grid.core.db.client.execute("SELECT * FROM api_keys");
  const secret = key.slice(prefix.length + 1);
  assert.ok(!JSON.stringify(rows.rows).includes(secret));
});

Deno.test("an invalid key is rejected with the values that would be accepted", async () => {
  await using grid = await keyedGrid();
  const refused: [Record<string, unknown>, number, string][] = [
    [{}, 422, "invalid_request"],
    [{ name: "" }, 422, "invalid_request"],
    [{ name: "x".repeat(101) }, 422, "invalid_request"],
    [{ role: "king" }, 422, "invalid_request"],
    [{ colour: "blue" }, 422, "invalid_request"],
    [{ expires_in_days: 0 }, 422, "invalid_request"],
    [{ expires_at: "soon" }, 422, "invalid_request"],
    [{ expires_at: "2020-01-01T00:00:00Z" }, 422, "invalid_request"],
    [{ role: "admin", work_pool_id: "pool" }, 422, "invalid_request"],
    [{ work_pool_id: "none" }, 404, "pool_not_found"],
  ];
  for (const [fields, status, code] of refused) {
    const body = Object.keys(fields).length === 0
      ? {}
      : { name: "x", role: "client", ...fields };
    const answer = await grid.admin.call("POST", "/keys", body);
    assertRefused(answer, { status, code }, /./);
  }
  const { body } = await grid.admin.call("GET", "/keys");
  assert.deepEqual(body.items, []);
});

Deno.test("the earlier of two times of expiry applies", async () => {
  const clock = createFakeClock();
  await using grid = await keyedGrid({ clock });
  const inDays = (days: number) =>
    new Date(clock.now() + days * DAY_MS).toISOString();
  for (const [days, at] of [[3, 2], [2, 3]] as const) {
    const { expires_at } = await grid.key({
      expires_in_days: days,
      expires_at: inDays(at),
    });
    assert.equal(expires_at, inDays(2));
  }
});

Deno.test("GET keys lists each key once, newest first", async () => {
  await using grid = await keyedGrid();
  const made: string[] = [];
  for (let at = 0; at < 5; at++) made.unshift((await grid.key()).id);
  const seen: string[] = [];
  let cursor = "";
  for (let page = 0; page < 3; page++) {
    const query = cursor === "" ? "" : `&cursor=${cursor}`;
    const { body } = await grid.admin.call("GET", `/keys?limit=2${query}`);
    seen.push(...body.items.map(({ id }: { id: string }) => id));
    cursor = body.next_cursor ?? "";
  }
  assert.deepEqual(seen, made);
});

Deno.test("a revoked key is rejected at once as revoked and stays in the list", async () => {
  await using grid = await keyedGrid();
  const { id, key, prefix } = await grid.key();
  const own = grid.as(key);
  assert.equal((await own.call("GET", "/sessions")).status, 200);
  assert.equal(
    (await grid.admin.call("DELETE", `/keys/${prefix}`)).status,
    204,
  );
  const refused = await own.call("GET", "/sessions");
  assertRefused(refused, { status: 401, code: "unauthorized" }, /revoked/);
  const { body } = await grid.admin.call("GET", `/keys/${id}`);
  assert.equal(body.status, "revoked");
  // Revoking again succeeds and changes nothing.
  assert.equal((await grid.admin.call("DELETE", `/keys/${id}`)).status, 204);
  const again = await grid.admin.call("GET", `/keys/${id}`);
  assert.deepEqual(again.body, body);
  for (const method of ["GET", "DELETE"]) {
    const unknown = await grid.admin.call(method, `/keys/${UNKNOWN}`);
    assertRefused(unknown, { status: 404, code: "key_not_found" });
  }
});

Deno.test("a key is rejected from the moment it expires", async () => {
  const clock = createFakeClock();
  await using grid = await keyedGrid({ clock });
  const { key, id } = await grid.key({ expires_in_days: 1 });
  const own = grid.as(key);
  clock.advance(DAY_MS - 1);
  assert.equal((await own.call("GET", "/sessions")).status, 200);
  clock.advance(1);
  const refused = await own.call("GET", "/sessions");
  assertRefused(refused, { status: 401, code: "unauthorized" }, /expired/);
  const { body } = await grid.admin.call("GET", `/keys/${id}`);
  assert.equal(body.status, "expired");
});

Deno.test("the first admin key closes an open grid to all other callers, and revoking the last one opens it", async () => {
  await using grid = await testGrid();
  const nobody = createApiClient(grid);
  const client = { name: "c", role: "client" };
  const { body: { key: clientKey } } = await nobody.call(
    "POST",
    "/keys",
    client,
  );
  // A client key does not close the grid, but its caller has the role of a client.
  assert.equal((await nobody.call("GET", "/keys")).status, 200);
  const asClient = createApiClient(grid, { "x-api-key": clientKey });
  assert.equal((await asClient.call("GET", "/keys")).status, 403);
  const admin = { name: "a", role: "admin" };
  const { body: { key, id } } = await nobody.call("POST", "/keys", admin);
  assert.equal((await nobody.call("GET", "/sessions")).status, 401);
  const asAdmin = createApiClient(grid, { "x-api-key": key });
  assert.equal((await asAdmin.call("GET", "/keys")).status, 200);
  assert.equal((await asAdmin.call("DELETE", `/keys/${id}`)).status, 204);
  assert.equal((await nobody.call("GET", "/keys")).status, 200);
});

Deno.test("a closed grid does not open when the last admin key expires", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const { key } = await grid.keys().create({
    name: "a",
    role: "admin",
    expires_in_days: 1,
  });
  clock.advance(2 * DAY_MS);
  const refused = { status: 401, code: "unauthorized" };
  assertRefused(await createApiClient(grid).call("GET", "/sessions"), refused);
  const asAdmin = createApiClient(grid, { "x-api-key": key });
  assertRefused(await asAdmin.call("GET", "/sessions"), refused, /expired/);
  const { key: another } = await grid.keys().create({
    name: "b",
    role: "admin",
  });
  const own = createApiClient(grid, { "x-api-key": another });
  assert.equal((await own.call("GET", "/sessions")).status, 200);
});

Deno.test("on a server that other hosts reach, the last admin key cannot be revoked without a bootstrap key", async () => {
  await using grid = await testGrid({ settings: { host: "0.0.0.0" } });
  const { key, id } = await grid.keys().create({ name: "a", role: "admin" });
  const admin = createApiClient(grid, { "x-api-key": key });
  const refused = await admin.call("DELETE", `/keys/${id}`);
  assertRefused(refused, { status: 409, code: "last_admin_key" });
  assert.equal((await admin.call("GET", "/keys")).status, 200);
  // An admin key counts until it expires; a client key does not count.
  await grid.keys().create({ name: "b", role: "client" });
  assert.equal((await admin.call("DELETE", `/keys/${id}`)).status, 409);
  await grid.keys().create({ name: "c", role: "admin", expires_in_days: 1 });
  assert.equal((await admin.call("DELETE", `/keys/${id}`)).status, 204);
  assert.equal((await createApiClient(grid).call("GET", "/keys")).status, 401);
});

Deno.test("with a bootstrap key, every key can be revoked", async () => {
  await using grid = await keyedGrid({ settings: { host: "0.0.0.0" } });
  const { id } = await grid.key({ role: "admin" });
  assert.equal((await grid.admin.call("DELETE", `/keys/${id}`)).status, 204);
});

Deno.test("deleting a work pool deletes its keys", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const { id } = await grid.key({ work_pool_id: "pool" });
  const kept = await grid.key();
  await grid.admin.call("DELETE", "/workerpool/pools/pool");
  const gone = await grid.admin.call("GET", `/keys/${id}`);
  assertRefused(gone, { status: 404, code: "key_not_found" });
  const { status } = await grid.admin.call("GET", `/keys/${kept.id}`);
  assert.equal(status, 200);
});

Deno.test("two servers of one database share keys and the secret of connect tokens", async () => {
  await using first = await keyedGrid();
  const { settings } = first.core;
  await using second = await keyedGrid({
    settings: { database_url: `file:${settings.data_dir}/browsergrid.db` },
  });
  const { key } = await first.key();
  const { status } = await second.as(key).call("GET", "/sessions");
  assert.equal(status, 200);
  const id = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";
  const token = await first.core.auth.connectTokens.issue(id);
  assert.ok(await second.core.auth.connectTokens.isValid(token, id));
});

Deno.test("a grid without the keys app accepts its bootstrap key and issues connect tokens", async () => {
  const apps = [
    ...["workerpool", "sessions", "workers", "live", "handover"],
    ...["tunnels", "gateway"],
  ];
  await using grid = await testGrid({
    settings: { api_key: BOOTSTRAP_KEY, apps },
  });
  const admin = createApiClient(grid, { "x-api-key": BOOTSTRAP_KEY });
  await admin.pool();
  assert.match((await admin.session()).connect_url, /token=ct_/);
  assert.equal(
    (await createApiClient(grid).call("GET", "/sessions")).status,
    401,
  );
  assert.equal((await admin.call("GET", "/keys")).status, 404);
});
