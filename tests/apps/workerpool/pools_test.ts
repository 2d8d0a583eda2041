import assert from "node:assert/strict";
import { systemClock } from "../../../src/async/clock.ts";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";

const POOLS = "/workerpool/pools";

Deno.test("POST pools makes a pool with every default, and says where it is", async () => {
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

const EVERYTHING = {
  name: "everything",
  description: "All that can be said",
  provider_type: "local",
  provider_config: {},
  status: "paused",
  priority: 7,
  default_browser: "chromium",
  default_browser_version: "stable",
  default_headless: true,
  default_operating_system: "linux",
  default_screen: { width: 800, height: 600, dpi: 96, scale: 2 },
  default_resource_limits: { cpu: 1, memory: "2G", timeout_minutes: 30 },
  max_sessions: 10,
  min_workers: 1,
  max_workers: 3,
  max_sessions_per_worker: 4,
  min_ready: 2,
  max_queue: 50,
  max_timeout_minutes: 120,
};

Deno.test("a pool keeps every field that it was made with", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const made = await api.pool(EVERYTHING);
  for (const ref of [made.id, "everything"]) {
    const { body } = await api.call("GET", `${POOLS}/${ref}`);
    const { provider_config: _, ...expected } = EVERYTHING;
    for (const [name, value] of Object.entries(expected)) {
      assert.deepEqual(body[name], value, name);
    }
  }
});

Deno.test("no answer about a pool has its proxy password or its environment's values", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const secrets = {
    default_proxy: {
      proxy_url: "http://proxy.example:3128",
      proxy_username: "me",
      proxy_password: "hush-proxy",
    },
    default_environment: { TOKEN: "hush-variable" },
  };
  const made = await api.call("POST", POOLS, {
    name: "pool",
    provider_type: "local",
    ...secrets,
  });
  const answers = [
    made,
    await api.call("GET", POOLS),
    await api.call("GET", `${POOLS}/pool`),
    await api.call("PATCH", `${POOLS}/pool`, { priority: 1 }),
    await api.call("PUT", `${POOLS}/pool`, {
      name: "pool",
      provider_type: "local",
      ...secrets,
    }),
    await api.call("POST", `${POOLS}/pool/pause`),
    await api.call("POST", `${POOLS}/pool/resume`),
    await api.call("GET", `${POOLS}/pool/pressure`),
  ];
  for (const { status, text } of answers) {
    assert.ok(status < 300, text);
    assert.doesNotMatch(text, /hush/);
  }
  assert.deepEqual(made.body.default_environment, ["TOKEN"]);
  assert.deepEqual(made.body.default_proxy, {
    proxy_url: "http://proxy.example:3128",
    proxy_username: "me",
  });
});

Deno.test("PATCH changes what is given, PUT also takes the rest back to its defaults", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool(EVERYTHING);
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

Deno.test("GET pools goes through all pools page by page, each once, and can be filtered", async () => {
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

Deno.test("pressure counts what waits, starts and runs, and what its workers could take", async () => {
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

Deno.test("DELETE refuses a pool with live sessions, and takes what has ended with it", async () => {
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

Deno.test("a pool that is wrong is refused with what would be right", async () => {
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

Deno.test("PATCH leaves what others change at the same time as they set it", async () => {
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

Deno.test("resuming a pool wakes the workers that wait for its sessions", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const { id } = await api.session();
  await api.call("POST", `${POOLS}/pool/pause`);
  const looks = grid.core.db.trips();
  const claim = api.call(
    "POST",
    `/workerpool/workers/${worker}/claim-session?wait=30`,
  );
  while (grid.core.db.trips() === looks) await systemClock.sleep(1);
  const before = systemClock.monotonic();
  await api.call("POST", `${POOLS}/pool/resume`);
  assert.equal((await claim).body.sessions[0].id, id);
  // Not by the look that a waiting claim takes every second.
  assert.ok(systemClock.monotonic() - before < 500);
});

Deno.test("PUT and PATCH accept the response of GET, and keep the secrets that it does not show", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({
    ...EVERYTHING,
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
  await api.pool({ ...EVERYTHING, default_environment: { LANG: "de" } });
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
