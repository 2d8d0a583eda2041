import assert from "node:assert/strict";
import { assertRefused } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { keyedGrid } from "../../support/keys.ts";

const NOT_FOUND = { status: 404, code: "session_not_found" };

Deno.test("a client sees and ends its own sessions, and gets the same responses for another client's as for unknown ones", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const [mine, other] = [await grid.asNew(), await grid.asNew()];
  const session = await mine.session();
  const theirs = await other.session();
  const path = `/sessions/${session.id}`;
  const everything: [string, string, unknown?][] = [
    ["GET", path],
    ["GET", `${path}?include=events,metrics`],
    ["GET", `${path}/events`],
    ["GET", `${path}/metrics`],
    ["GET", `${path}/logs`],
    ["POST", `${path}/refresh`, {}],
    ["GET", `${path}/cdp/json/version`],
    ["DELETE", path],
    ["DELETE", `${path}?force=true`],
  ];
  for (const [method, asked, json] of everything) {
    const refused = await other.call(method, asked, json);
    assertRefused(refused, NOT_FOUND);
    const unknown = await other.call(
      method,
      asked.replace(session.id, theirs.id.replace(/^./, "f")),
      json,
    );
    // Identical except for the id.
    assert.equal(
      unknown.body.detail.replace(/"[^"]+"/, ""),
      refused.body.detail.replace(/"[^"]+"/, ""),
    );
  }
  const { body: untouched } = await grid.admin.call("GET", path);
  assert.deepEqual(
    [untouched.status, untouched.expires_at],
    ["pending", session.expires_at],
  );
  for (const [method, asked, json] of everything) {
    if (asked.includes("cdp")) continue;
    const { status, text } = await mine.call(method, asked, json);
    assert.ok(status < 300, `${method} ${asked}: ${text}`);
  }
  const { body: gone } = await grid.admin.call("GET", path);
  assert.equal(gone.status, "completed");
});

Deno.test("a client lists only its own sessions for every filter, and an admin lists all", async () => {
  await using grid = await keyedGrid();
  const pool = await grid.admin.pool();
  const key = await grid.key();
  const [mine, other] = [grid.as(key.key), await grid.asNew()];
  const own = await mine.session();
  const admins = await grid.admin.session();
  await other.session();
  const listIds = async (api: typeof mine, query: string) => {
    const { body } = await api.call("GET", `/sessions${query}`);
    return body.items.map(({ id }: { id: string }) => id);
  };
  for (
    const query of [
      "",
      "?status=pending",
      `?work_pool_id=${pool.id}`,
      "?limit=2",
    ]
  ) {
    assert.deepEqual(await listIds(mine, query), [own.id], query);
  }
  assert.equal((await listIds(grid.admin, "")).length, 3);
  assert.equal(own.owner, key.id);
  assert.equal(admins.owner, "bootstrap");
});

Deno.test("the same idempotency key of two clients creates two sessions", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const ids = new Set<string>();
  for (const key of [(await grid.key()).key, (await grid.key()).key]) {
    for (let times = 0; times < 2; times++) {
      const response = await grid.request("/v1/sessions", {
        method: "POST",
        json: {},
        headers: { "x-api-key": key, "idempotency-key": "k" },
      });
      const { id, owner } = await response.json();
      ids.add(`${id} ${owner}`);
    }
  }
  assert.equal(ids.size, 2);
});

Deno.test("a client that is restricted to a work pool uses that pool and sees no other", async () => {
  await using grid = await keyedGrid();
  const box = await grid.admin.pool({ name: "box", priority: -5 });
  const other = await grid.admin.pool({ name: "other", priority: 5 });
  const mine = await grid.asNew({ work_pool_id: "box" });
  // By default the key's pool is used, although another has a higher priority.
  for (
    const fields of [{}, { work_pool_id: "box" }, { work_pool_id: box.id }]
  ) {
    assert.equal((await mine.session(fields)).work_pool_id, box.id);
  }
  for (const ref of ["other", other.id, "none"]) {
    const refused = await mine.call("POST", "/sessions", { work_pool_id: ref });
    assertRefused(refused, { status: 403, code: "forbidden" });
    assert.equal(refused.body.work_pool_id, box.id);
  }
  const { body: list } = await mine.call("GET", "/workerpool/pools");
  assert.deepEqual(list.items.map(({ id }: { id: string }) => id), [box.id]);
  for (const path of ["", "/pressure"]) {
    const pools = "/workerpool/pools";
    assert.equal((await mine.call("GET", `${pools}/box${path}`)).status, 200);
    assertRefused(
      await mine.call("GET", `${pools}/other${path}`),
      { status: 404, code: "pool_not_found" },
    );
  }
  await grid.admin.call("POST", "/workerpool/pools/box/pause");
  assertRefused(
    await mine.call("POST", "/sessions", {}),
    { status: 409, code: "pool_paused" },
  );
});

Deno.test("a client is not given a pool whose name is the id of its own pool", async () => {
  await using grid = await keyedGrid();
  const box = await grid.admin.pool({ name: "box" });
  await grid.admin.pool({ name: box.id, priority: 100 });
  const mine = await grid.asNew({ work_pool_id: "box" });
  assert.equal((await mine.session()).work_pool_id, box.id);
  assert.equal(
    (await mine.session({ work_pool_id: box.id })).work_pool_id,
    box.id,
  );
});

Deno.test("a client does not see the provider_config of a pool", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool({
    provider_type: "docker",
    provider_config: { image: "hush.example/image" },
  });
  const mine = await grid.asNew();
  for (const path of ["/workerpool/pools", "/workerpool/pools/pool"]) {
    assert.match((await grid.admin.call("GET", path)).text, /hush/);
    const { status, text } = await mine.call("GET", path);
    assert.equal(status, 200);
    assert.doesNotMatch(text, /hush/);
  }
});

Deno.test("a worker key that is restricted to a work pool cannot act for workers of another pool", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool({ name: "box" });
  await grid.admin.pool({ name: "pool" });
  const mine = await grid.asNew({ role: "worker", work_pool_id: "box" });
  const own = await mine.worker({ work_pool_id: "box" });
  const workers = "/workerpool/workers";
  assertRefused(
    await mine.call("POST", workers, { work_pool_id: "pool" }),
    { status: 403, code: "forbidden" },
  );
  const { workerId, claimed } = await grid.admin.running({
    work_pool_id: "pool",
  });
  const waiting = await grid.admin.session({ work_pool_id: "pool" });
  const path = `${workers}/${workerId}`;
  const report = {
    session_id: claimed.id,
    fencing_token: claimed.fencing_token,
    status: "crashed",
  };
  const acts: [string, string, unknown?][] = [
    ["GET", path],
    ["PUT", `${path}/heartbeat`, { sessions: [report] }],
    ["PUT", `${path}/heartbeat`, { status: "offline" }],
    ["POST", `${path}/claim-session`],
    ["POST", `${path}/claim-session`, { count: 5 }],
  ];
  for (const [method, asked, json] of acts) {
    assertRefused(
      await mine.call(method, asked, json),
      { status: 404, code: "worker_not_found" },
    );
  }
  const { fencing_token } = claimed;
  for (
    const [what, json] of [
      ["events", { fencing_token, event: "session_idle" }],
      ["metrics", { fencing_token, memory_mb: 1 }],
    ] as const
  ) {
    assertRefused(
      await mine.call("POST", `/sessions/${claimed.id}/${what}`, json),
      { status: 409, code: "lease_lost" },
    );
  }
  const { body: still } = await grid.admin.call(
    "GET",
    `/sessions/${claimed.id}`,
  );
  assert.equal(still.status, "running");
  const { body: left } = await grid.admin.call(
    "GET",
    `/sessions/${waiting.id}`,
  );
  assert.equal(left.status, "pending");
  const { body: theirs } = await grid.admin.call("GET", path);
  assert.equal(theirs.status, "online");
  // In its own pool all of that succeeds.
  const { id } = await grid.admin.session({ work_pool_id: "box" });
  const given = await mine.claim(own);
  assert.equal(given?.id, id);
  assert.ok(given);
  assert.equal(
    await mine.report(own, given, "running", {
      endpoint: "ws://127.0.0.1:9/devtools/browser/x",
    }),
    "accepted",
  );
});

Deno.test("a worker of another pool can neither repeat a claim nor renew its leases", async () => {
  const clock = createFakeClock();
  await using grid = await keyedGrid({ clock });
  await grid.admin.pool({ name: "box" });
  await grid.admin.pool({ name: "pool" });
  const mine = await grid.asNew({ role: "worker", work_pool_id: "box" });
  const worker = await grid.admin.worker();
  await grid.admin.session({ work_pool_id: "pool" });
  const path = `/workerpool/workers/${worker}/claim-session`;
  const claim = { request_id: "r" };
  const first = await grid.admin.call("POST", path, claim);
  assert.equal(first.body.sessions.length, 1);
  const leases = async () => {
    const statement = "SELECT lease_expires_at FROM sessions";
    const { rows } = await grid.core.db.client.execute(statement);
    return JSON.stringify(rows);
  };
  const before = await leases();
  clock.advance(1_000);
  const repeat = await mine.call("POST", path, claim);
  assertRefused(repeat, { status: 404, code: "worker_not_found" });
  assert.equal(await leases(), before);
});

Deno.test("another client cannot stop a running session, with or without force", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const { workerId, claimed } = await grid.admin.running();
  const other = await grid.asNew();
  for (const force of ["", "?force=true"]) {
    const path = `/sessions/${claimed.id}${force}`;
    assertRefused(await other.call("DELETE", path), NOT_FOUND);
  }
  const heartbeat = `/workerpool/workers/${workerId}/heartbeat`;
  const { body } = await grid.admin.call("PUT", heartbeat, {});
  assert.deepEqual(body.commands, []);
});
