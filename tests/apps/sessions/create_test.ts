import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { withAddedDefaults } from "../../support/added_defaults.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("POST sessions returns a pending session with every default, and its location", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const pool = await api.pool();
  const { status, headers, body } = await api.call("POST", "/sessions", {});
  assert.equal(status, 201);
  assert.equal(headers.get("location"), `/v1/sessions/${body.id}`);
  const { id, created_at, updated_at, expires_at, connect_url, ...rest } = body;
  assert.equal(created_at, updated_at);
  assert.ok(expires_at > created_at);
  assert.match(connect_url, new RegExp(`^ws://.*/v1/sessions/${id}/cdp$`));
  const known = {
    owner: "anonymous",
    browser: "chrome",
    version: "latest",
    headless: true,
    operating_system: "linux",
    screen: { width: 1280, height: 720, dpi: 96, scale: 1 },
    proxy: null,
    resource_limits: { timeout_minutes: 60 },
    environment: [],
    arguments: [],
    work_pool_id: pool.id,
    provider: "local",
    priority: 0,
    idle_timeout_seconds: null,
    max_connections: 1,
    keep_alive_seconds: null,
    labels: {},
    webhooks_enabled: true,
    status: "pending",
    status_reason: null,
    trace_id: null,
    started_at: null,
    ended_at: null,
    idle_since: null,
    worker_id: null,
    container_id: null,
    details: {},
    reach: null,
    warm: false,
    control: "client",
    live_url: `${
      new URL(connect_url).origin.replace("ws", "http")
    }/ui/sessions/${id}/live`,
  };
  assert.deepEqual(rest, withAddedDefaults(known));
});

Deno.test("a session keeps the requested fields and inherits the others from its pool", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({
    priority: 3,
    default_browser: "chromium",
    default_browser_version: "stable",
    default_headless: false,
    default_screen: { width: 640, height: 480 },
    default_resource_limits: { memory: "2G", cpu: 2, timeout_minutes: 5 },
    default_environment: { A: "pool", B: "pool" },
  });
  const inherited = await api.session();
  assert.equal(inherited.browser, "chromium");
  assert.equal(inherited.version, "stable");
  assert.deepEqual([inherited.headless], [false]);
  assert.equal(inherited.screen.width, 640);
  assert.equal(inherited.priority, 3);
  assert.deepEqual(inherited.resource_limits, {
    memory: "2G",
    cpu: 2,
    timeout_minutes: 5,
  });
  const own = await api.session({
    browser: "chrome",
    version: "latest",
    headless: true,
    operating_system: "linux",
    screen: { width: 800, height: 600, dpi: 120, scale: 2 },
    resource_limits: { cpu: 1 },
    environment: { B: "own", C: "own" },
    work_pool_id: "pool",
    priority: 8,
    idle_timeout_seconds: 90,
    labels: { team: "search" },
    webhooks_enabled: false,
  });
  assert.equal(own.browser, "chrome");
  assert.deepEqual(own.screen, { width: 800, height: 600, dpi: 120, scale: 2 });
  assert.deepEqual(own.resource_limits, {
    memory: "2G",
    cpu: 1,
    timeout_minutes: 5,
  });
  assert.deepEqual(own.environment.toSorted(), ["A", "B", "C"]);
  assert.deepEqual([own.priority, own.idle_timeout_seconds], [8, 90]);
  assert.deepEqual(own.labels, { team: "search" });
  assert.deepEqual([own.webhooks_enabled], [false]);
  const worker = await api.worker();
  const claimed = await api.claim(worker);
  assert.equal(claimed?.id, own.id, "higher priority first");
  assert.deepEqual(claimed?.environment, { A: "pool", B: "own", C: "own" });
});

Deno.test("a session without a pool is assigned to the best match, not to a full or paused pool", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ name: "paused", status: "paused", priority: 9 });
  await api.pool({ name: "full", max_queue: 1, priority: 8 });
  const plain = await api.pool({ name: "plain" });
  await api.session({ work_pool_id: "full" });
  assert.equal((await api.session()).work_pool_id, plain.id);
});

Deno.test("a session that no pool can start is rejected with the available choices", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const ask = (body: unknown) => api.call("POST", "/sessions", body);
  assertRefused(await ask({}), { status: 409, code: "no_matching_pool" });
  await api.pool({ max_timeout_minutes: 10, max_queue: 1 });
  const cases: [unknown, number, string, RegExp][] = [
    [
      { broswer: "chrome" },
      422,
      "invalid_request",
      /"broswer" is unknown, did you mean "browser"\? Known are browser, /,
    ],
    [{ browser: "netscape" }, 422, "invalid_request", /chromium/],
    [{ browser: "safari" }, 422, "browser_not_available", /chrom/],
    [{ version: "99.0.1" }, 422, "browser_not_available", /latest/],
    [{ work_pool_id: "none" }, 404, "pool_not_found", /expected one/],
    [{ screen: { width: -1 } }, 422, "invalid_request", /screen\.width/],
    [
      { resource_limits: { memory: "2 bananas" } },
      422,
      "invalid_request",
      /memory/,
    ],
    [{ resource_limits: { cpu: -1 } }, 422, "invalid_request", /cpu/],
    [
      { resource_limits: { timeout_minutes: 11 } },
      422,
      "invalid_request",
      /at most 10/,
    ],
    [{ proxy: { proxy_url: "nowhere" } }, 422, "invalid_request", /proxy_url/],
    [{ headles: true }, 422, "invalid_request", /headles/],
    [{ environment: { "A=B": "x" } }, 422, "invalid_request", /environment/],
    [
      { environment: { LD_PRELOAD: "/tmp/own.so" } },
      422,
      "invalid_request",
      /environment\.LD_PRELOAD: a session may not set this variable/,
    ],
    [[], 422, "invalid_request", /object/],
  ];
  for (const [body, status, code, detail] of cases) {
    assertRefused(await ask(body), { status, code }, detail);
  }
  await api.session();
  const full = await ask({});
  assertRefused(full, { status: 429, code: "queue_full" });
  assert.ok(Number(full.headers.get("retry-after")) > 0);
  await api.call("POST", "/workerpool/pools/pool/pause");
  assertRefused(await ask({}), { status: 409, code: "pool_paused" });
});

Deno.test("a body that is not JSON is rejected with invalid_request", async () => {
  await using grid = await testGrid();
  const post = (type: string, body: string) =>
    grid.request("/v1/sessions", {
      method: "POST",
      headers: { "content-type": type },
      body,
    });
  assert.equal((await post("application/json", "{")).status, 400);
  assert.equal((await post("text/plain", "{}")).status, 415);
});

Deno.test("max_queue holds for concurrent requests", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ max_queue: 5 });
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => api.call("POST", "/sessions", {})),
  );
  const taken = answers.filter(({ status }) => status === 201);
  const refused = answers.filter(({ status }) => status === 429);
  assert.deepEqual([taken.length, refused.length], [5, 15]);
});

Deno.test('a label\'s name must not contain "=", so that ?label= finds every label', async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const refused = await api.call("POST", "/sessions", {
    labels: { "a=b": "c" },
  });
  assertRefused(refused, { status: 422, code: "invalid_request" });
  const { id } = await api.session({ labels: { a: "b=c" } });
  const found = await api.call("GET", "/sessions?label=a%3Db%3Dc");
  assert.deepEqual(
    found.body.items.map((each: { id: string }) => each.id),
    [id],
  );
});
