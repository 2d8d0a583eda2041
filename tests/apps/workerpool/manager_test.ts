import assert from "node:assert/strict";
import { systemClock } from "../../../src/async/clock.ts";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";

const POOLS = "/workerpool/pools";

Deno.test("POST pools creates a pool with every default, and returns its location", async () => {
  await using grid = await testGrid();
  const { status, headers, body } = await createApiClient(grid).call(
    "POST",
    POOLS,
    {
      name: "pool",
      provider_type: "local",
    },
  );
  assert.equal(status, 201);
  assert.equal(headers.get("location"), `/v1/workerpool/pools/${body.id}`);
  const { id, created_at, updated_at, provider_config, ...rest } = body;
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.equal(created_at, updated_at);
  assert.equal(typeof provider_config, "object");
  assert.deepEqual(rest, {
    name: "pool",
    description: "",
    provider_secrets: [],
    provider_type: "local",
    status: "active",
    priority: 0,
    default_browser: null,
    default_browser_version: null,
    default_headless: null,
    default_operating_system: null,
    warnings: [],
    default_screen: null,
    default_proxy: null,
    default_resource_limits: null,
    default_environment: null,
    max_sessions: null,
    min_workers: 0,
    max_workers: null,
    max_sessions_per_worker: null,
    min_ready: 0,
    ready_max_age_minutes: 60,
    allowed_arguments: null,
    egress: "auto",
    egress_allow: [],
    max_queue: null,
    max_timeout_minutes: null,
  });
});

Deno.test("pause, resume and drain set the status of a pool", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  for (
    const [verb, status] of [
      ["pause", "paused"],
      ["resume", "active"],
      ["drain", "draining"],
    ]
  ) {
    const { body } = await api.call("POST", `${POOLS}/pool/${verb}`);
    assert.equal(body.status, status);
  }
});

Deno.test("GET pools lists each pool once, page by page, and can be filtered", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const names = ["a", "b", "c", "d", "e"];
  for (const name of names) await api.pool({ name });
  const seen: string[] = [];
  let cursor = "";
  do {
    const { body } = await api.call("GET", `${POOLS}?limit=2${cursor}`);
    seen.push(...body.items.map(({ name }: { name: string }) => name));
    cursor = body.next_cursor && `&cursor=${body.next_cursor}`;
  } while (cursor);
  assert.deepEqual(seen, names);
  await api.call("POST", `${POOLS}/c/pause`);
  const paused = await api.call("GET", `${POOLS}?status=paused`);
  assert.deepEqual(paused.body.items.length, 1);
});

Deno.test("pressure counts pending, starting and running sessions, and the capacity of the workers", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ max_sessions: 9 });
  const { workerId } = await api.running();
  for (let waiting = 0; waiting < 3; waiting++) await api.session();
  await api.claim(workerId);
  const { body } = await api.call("GET", `${POOLS}/pool/pressure`);
  assert.equal(body.pending, 2);
  assert.equal(body.starting, 1);
  assert.equal(body.running, 1);
  assert.equal(body.workers_online, 1);
  assert.equal(body.capacity, 5);
  assert.equal(body.max_sessions, 9);
  assert.ok(body.oldest_pending_seconds >= 0);
});

Deno.test("DELETE rejects a pool with live sessions, and deletes ended sessions with their pool", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  assertRefused(await api.call("DELETE", `${POOLS}/pool`), {
    status: 409,
    code: "pool_in_use",
  });
  await api.call("DELETE", `/sessions/${id}`);
  assert.equal((await api.call("DELETE", `${POOLS}/pool`)).status, 204);
  assert.equal((await api.call("GET", `${POOLS}/pool`)).status, 404);
  assert.equal((await api.call("GET", `/sessions/${id}`)).status, 404);
});

Deno.test("an invalid pool is rejected with the values that would be accepted", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const local = { provider_type: "local" };
  const cases: [unknown, number, string, RegExp][] = [
    [{}, 422, "invalid_request", /name/],
    [{ name: "x" }, 422, "invalid_request", /provider_type/],
    [{ name: " ", ...local }, 422, "invalid_request", /name/],
    [{ name: "x", ...local, max_sessions: 0 }, 422, "invalid_request", /max_s/],
    [{ name: "x", ...local, priorty: 1 }, 422, "invalid_request", /priorty/],
    [
      { name: "x", ...local, default_browser: "netscape" },
      422,
      "invalid_request",
      /chromium/,
    ],
    [
      { name: "x", provider_type: "dokcer" },
      422,
      "unknown_provider",
      /docker/,
    ],
    [
      { name: "x", ...local, provider_config: { sandbx: "on" } },
      422,
      "invalid_provider_config",
      /sandbx/,
    ],
    [{ name: "pool", ...local }, 409, "pool_name_taken", /free one/],
  ];
  for (const [body, status, code, detail] of cases) {
    assertRefused(
      await api.call("POST", POOLS, body),
      { status, code },
      detail,
    );
  }
  assertRefused(await api.call("GET", `${POOLS}/none`), {
    status: 404,
    code: "pool_not_found",
  });
  assertRefused(
    await api.call("PATCH", `${POOLS}/pool`, { provider_type: "docker" }),
    { status: 409, code: "provider_mismatch" },
  );
  assert.equal((await api.call("GET", POOLS)).body.items.length, 1);
});

Deno.test("resuming a pool wakes the workers that wait for its sessions", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const { id } = await api.session();
  await api.call("POST", `${POOLS}/pool/pause`);
  const trips = grid.core.db.trips();
  const claim = api.call(
    "POST",
    `/workerpool/workers/${worker}/claim-session?wait=30`,
  );
  while (grid.core.db.trips() === trips) await systemClock.sleep(1);
  const before = systemClock.monotonic();
  await api.call("POST", `${POOLS}/pool/resume`);
  assert.equal((await claim).body.sessions[0].id, id);
  // Not by the poll that a waiting claim makes every second.
  assert.ok(systemClock.monotonic() - before < 500);
});
