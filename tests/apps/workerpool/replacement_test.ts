import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { FULL_POOL } from "./full_pool.ts";

const POOLS = "/workerpool/pools";

Deno.test("PATCH changes only the members in its body, PUT resets absent ones to their defaults", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool(FULL_POOL);
  const patched = await api.call("PATCH", `${POOLS}/everything`, {
    priority: 9,
    max_queue: null,
  });
  assert.equal(patched.body.priority, 9);
  assert.equal(patched.body.max_queue, null);
  assert.equal(patched.body.max_sessions, 10);
  const put = await api.call("PUT", `${POOLS}/everything`, {
    name: "renamed",
    provider_type: "local",
  });
  assert.equal(put.body.name, "renamed");
  assert.equal(put.body.max_sessions, null);
  assert.equal(put.body.id, patched.body.id);
});

Deno.test("PATCH keeps concurrent changes of other members", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  await Promise.all([
    api.call("PATCH", `${POOLS}/pool`, { priority: 7 }),
    api.call("PATCH", `${POOLS}/pool`, { description: "busy" }),
    api.call("POST", `${POOLS}/pool/pause`),
  ]);
  const { body } = await api.call("GET", `${POOLS}/pool`);
  assert.deepEqual(
    [body.priority, body.description, body.status],
    [7, "busy", "paused"],
  );
});

Deno.test("PUT and PATCH accept a response of GET, and keep the secrets that it does not contain", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({
    ...FULL_POOL,
    status: "active",
    default_environment: { LANG: "de_DE.UTF-8", TZ: "UTC" },
    default_proxy: {
      proxy_url: "http://proxy.example:3128",
      proxy_username: "me",
      proxy_password: "hush",
    },
  });
  const { body: pool } = await api.call("GET", `${POOLS}/everything`);
  const put = await api.call("PUT", `${POOLS}/everything`, pool);
  assert.equal(put.status, 200, put.text);
  assert.deepEqual(put.body, { ...pool, updated_at: put.body.updated_at });
  const patched = await api.call("PATCH", `${POOLS}/everything`, {
    ...put.body,
    priority: 7,
  });
  assert.equal(patched.status, 200, patched.text);
  assert.equal(patched.body.priority, 7);
  const worker = await api.worker({ work_pool_id: "everything" });
  await api.session({ work_pool_id: "everything" });
  const claimed = await api.claim(worker);
  assert.equal(claimed?.proxy?.proxy_password, "hush");
  assert.deepEqual(claimed?.environment, { LANG: "de_DE.UTF-8", TZ: "UTC" });
});

Deno.test("PUT and PATCH reject changed read-only members by name", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ ...FULL_POOL, default_environment: { LANG: "de" } });
  const { body: pool } = await api.call("GET", `${POOLS}/everything`);
  for (
    const [name, value] of [
      ["id", crypto.randomUUID()],
      ["created_at", "2020-01-01T00:00:00.000Z"],
      ["updated_at", "2020-01-01T00:00:00.000Z"],
      ["default_environment", ["LANG", "TZ"]],
      ["default_environment", []],
    ] as const
  ) {
    for (const method of ["PUT", "PATCH"]) {
      const refused = await api.call(method, `${POOLS}/everything`, {
        ...pool,
        [name]: value,
      });
      assertRefused(
        refused,
        { status: 422, code: "read_only_member" },
        new RegExp(`${name} .*expected`),
      );
      assert.deepEqual(
        refused.body.errors.map(({ path }: { path: string }) => path),
        [name],
      );
    }
  }
  const { body: same } = await api.call("GET", `${POOLS}/everything`);
  assert.deepEqual(same, pool);
  // Another proxy does not inherit the password of the previous one.
  const moved = await api.call("PUT", `${POOLS}/everything`, {
    ...pool,
    default_environment: { LANG: "fr" },
    default_proxy: { proxy_url: "http://other.example:1" },
  });
  assert.equal(moved.status, 200, moved.text);
  assert.deepEqual(moved.body.default_proxy, {
    proxy_url: "http://other.example:1",
  });
});
