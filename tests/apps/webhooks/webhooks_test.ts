import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";

const URL = "https://hooks.example/x";
const fields = { name: "a", url: URL, event_pattern: "session.*" };

Deno.test("a webhook is created, read, listed, changed and deleted, and its secret is shown once", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const created = await api.call("POST", "/webhooks", {
    ...fields,
    headers: { Authorization: "Bearer planted-secret" },
  });
  assert.equal(created.status, 201, created.text);
  const { secret, id } = created.body;
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  const path = `/webhooks/${id}`;
  assert.match(created.headers.get("location") ?? "", new RegExp(`${path}$`));
  const got = await api.call("GET", path);
  assert.deepEqual(got.body.headers, ["Authorization"]);
  assert.equal(got.body.timeout_seconds, 10);
  const listed = await api.call("GET", "/webhooks");
  assert.deepEqual(listed.body.items, [got.body]);
  const patched = await api.call("PATCH", path, { active: false, name: "b" });
  assert.deepEqual(
    [patched.body.name, patched.body.active, patched.body.inactive_reason],
    ["b", false, "requested"],
  );
  for (const { text } of [got, listed, patched]) {
    assert.doesNotMatch(text, /planted-secret|whsec_/);
  }
  const { rows } = await grid.core.db.client.execute("SELECT * FROM webhooks");
  assert.doesNotMatch(JSON.stringify(rows), /planted-secret|whsec_/);
  assert.equal((await api.call("DELETE", path)).status, 204);
  assertRefused(await api.call("GET", path), {
    status: 404,
    code: "webhook_not_found",
  });
  assert.equal(await grid.webhooks?.prune(), 0);
  const left = await grid.core.db.client.execute("SELECT id FROM webhooks");
  assert.deepEqual(left.rows, []);
});

Deno.test("a webhook with rejected browser events, an unknown type or a forbidden target is rejected", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const refused: readonly (readonly [object, number, string])[] = [
    [
      { event_pattern: "cdp:Fetch.requestPaused" },
      422,
      "webhook_events_rejected",
    ],
    [{ filters: [{ path: "a" }] }, 422, "invalid_request"],
    [{ event_pattern: "session.runing" }, 422, "invalid_request"],
    [{ event_pattern: "*.running.*" }, 422, "invalid_request"],
    [{ url: "http://hooks.example/" }, 422, "webhook_target_rejected"],
    [{ url: "https://127.1/" }, 422, "webhook_target_rejected"],
    [{ url: "https://[::ffff:10.0.0.1]/" }, 422, "webhook_target_rejected"],
    [{ url: "https://a:b@hooks.example/" }, 422, "invalid_request"],
    [{ headers: { "Webhook-Id": "x" } }, 422, "invalid_request"],
    [{ headers: { "X-A": "a\r\nb: c" } }, 422, "invalid_request"],
    [{ work_pool_id: "none" }, 404, "pool_not_found"],
    [{ session_id: "none" }, 404, "session_not_found"],
  ];
  for (const [change, status, code] of refused) {
    const answer = await api.call("POST", "/webhooks", {
      ...fields,
      ...change,
    });
    assertRefused(answer, { status, code });
  }
  assert.deepEqual((await api.call("GET", "/webhooks")).body.items, []);
});

Deno.test("a client manages webhooks of its own, up to 20", async () => {
  await using grid = await keyedGrid();
  const [one, other] = [await grid.asNew(), await grid.asNew()];
  const { body: { id, owner } } = await one.call("POST", "/webhooks", fields);
  assert.notEqual(owner, null);
  const path = `/webhooks/${id}`;
  const asked: readonly (readonly [string, string, unknown?])[] = [
    ["GET", path],
    ["PATCH", path, { name: "x" }],
    ["DELETE", path],
    ["POST", `${path}/rotate-secret`, {}],
    ["POST", `${path}/test`],
    ["GET", `${path}/deliveries`],
    ["GET", `${path}/deliveries/1`],
    ["POST", `${path}/deliveries/1/retry`],
  ];
  for (const [method, each, json] of asked) {
    assertRefused(await other.call(method, each, json), {
      status: 404,
      code: "webhook_not_found",
    });
  }
  assert.deepEqual((await other.call("GET", "/webhooks")).body.items, []);
  assert.equal((await grid.admin.call("GET", path)).status, 200);
  for (let count = 1; count < 20; count++) {
    assert.equal((await one.call("POST", "/webhooks", fields)).status, 201);
  }
  assertRefused(await one.call("POST", "/webhooks", fields), {
    status: 409,
    code: "webhook_limit",
  });
  assert.equal((await other.call("POST", "/webhooks", fields)).status, 201);
});

Deno.test("a worker's key may not use webhooks", async () => {
  await using grid = await keyedGrid();
  const worker = await grid.asNew({ role: "worker" });
  assertRefused(await worker.call("GET", "/webhooks"), {
    status: 403,
    code: "forbidden",
  });
});
