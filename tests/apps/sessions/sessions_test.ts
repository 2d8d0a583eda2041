import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("POST sessions answers a pending session with every default, and where it is", async () => {
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
  assert.deepEqual(rest, {
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
    started_at: null,
    ended_at: null,
    idle_since: null,
    worker_id: null,
    container_id: null,
    details: {},
    reach: null,
    warm: false,
    live_url: null,
  });
});

Deno.test("a session keeps what it asks for and inherits the rest from its pool", async () => {
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

Deno.test("a session without a pool goes to the best match, not to one that is full or paused", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ name: "paused", status: "paused", priority: 9 });
  await api.pool({ name: "full", max_queue: 1, priority: 8 });
  const plain = await api.pool({ name: "plain" });
  await api.session({ work_pool_id: "full" });
  assert.equal((await api.session()).work_pool_id, plain.id);
});

Deno.test("a session that cannot be taken is refused with what could be", async () => {
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

Deno.test("a body that is not JSON is refused as such", async () => {
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

Deno.test("max_queue holds when many ask at once", async () => {
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

Deno.test("GET sessions filters, and goes through all of them newest first, each once", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const ids: string[] = [];
  for (let at = 0; at < 5; at++) {
    ids.unshift((await api.session({ labels: { n: String(at) } })).id);
  }
  const seen: string[] = [];
  let query = "?limit=2";
  for (;;) {
    const { body } = await api.call("GET", `/sessions${query}`);
    seen.push(...body.items.map(({ id }: { id: string }) => id));
    if (!body.next_cursor) break;
    query = `?limit=2&cursor=${body.next_cursor}`;
  }
  assert.deepEqual(seen, ids);
  const only = async (filter: string) =>
    (await api.call("GET", `/sessions?${filter}`)).body.items.map((
      { id }: { id: string },
    ) => id);
  assert.deepEqual(await only("label=n=3"), [ids[1]]);
  await api.call("DELETE", `/sessions/${ids[0]}`);
  assert.deepEqual(await only("status=completed"), [ids[0]]);
  assert.equal((await only("status=pending,completed")).length, 5);
  const worker = await api.worker();
  const claimed = await api.claim(worker);
  assert.deepEqual(await only(`worker_id=${worker}`), [claimed?.id]);
  assertRefused(
    await api.call("GET", "/sessions?status=gone"),
    { status: 422, code: "invalid_request" },
    /pending/,
  );
});

Deno.test("GET a session shows it, with events and metrics when they are asked for", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  await api.report(workerId, claimed, "running", {
    metrics: {
      cpu_percent: 12.5,
      memory_mb: 300,
      network_rx_bytes: 7,
      network_tx_bytes: null,
    },
  });
  const path = `/sessions/${claimed.id}`;
  const { body } = await api.call("GET", `${path}?include=events,metrics`);
  assert.equal(body.status, "running");
  assert.equal(body.worker_id, workerId);
  assert.ok(body.started_at);
  assert.deepEqual(
    body.events.map(({ event }: { event: string }) => event),
    [
      "session_created",
      "session_assigned",
      "session_starting",
      "browser_started",
    ],
  );
  assert.equal(body.metrics[0].cpu_percent, 12.5);
  const { body: plain } = await api.call("GET", path);
  assert.ok(!("events" in plain) && !("metrics" in plain));
  const { body: metrics } = await api.call("GET", `${path}/metrics`);
  assert.equal(metrics.items[0].memory_mb, 300);
  const { body: events } = await api.call("GET", `${path}/events?after=2`);
  assert.equal(events.items[0].event, "session_starting");
});

Deno.test("the worker that holds a session records events and metrics, another does not", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { claimed: { id, fencing_token } } = await api.running();
  const idle = { fencing_token, event: "session_idle", data: { for: 9 } };
  const path = `/sessions/${id}`;
  assert.equal((await api.call("POST", `${path}/events`, idle)).status, 204);
  assert.equal(
    (await api.call("POST", `${path}/metrics`, { fencing_token, memory_mb: 5 }))
      .status,
    204,
  );
  for (const what of ["events", "metrics"]) {
    const stale = what === "events"
      ? { ...idle, fencing_token: fencing_token + 1 }
      : { fencing_token: fencing_token + 1 };
    assertRefused(await api.call("POST", `${path}/${what}`, stale), {
      status: 409,
      code: "lease_lost",
    });
  }
  const { body } = await api.call("GET", `${path}/events`);
  assert.deepEqual(body.items.at(-1).data, { for: 9 });
});

Deno.test("DELETE ends a waiting session at once, and a second time changes nothing", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  const first = await api.call("DELETE", `/sessions/${id}`);
  assert.deepEqual([first.status, first.body.status], [200, "completed"]);
  const again = await api.call("DELETE", `/sessions/${id}?force=true`);
  assert.deepEqual(again.body, first.body);
});

Deno.test("DELETE orders the worker of a running session to end it", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const answer = await api.call("DELETE", `/sessions/${claimed.id}`);
  assert.deepEqual([answer.status, answer.body.status], [202, "running"]);
  const { body } = await api.call(
    "POST",
    `/workerpool/workers/${workerId}/claim-session`,
  );
  assert.deepEqual(body.sessions, []);
  assert.deepEqual(body.commands, [{
    type: "stop",
    session_id: claimed.id,
    fencing_token: claimed.fencing_token,
    status: "completed",
    reason: "ended by its owner",
    force: false,
  }]);
  await api.report(workerId, claimed, "completed", { logs: "last words" });
  assert.equal(
    (await api.call("GET", `/sessions/${claimed.id}`)).body.status,
    "completed",
  );
  assert.equal(
    (await api.call("GET", `/sessions/${claimed.id}/logs`)).text,
    "last words",
  );
});

Deno.test("DELETE with force ends a running session in the record at once, and its worker is told until it obeys", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const answer = await api.call("DELETE", `/sessions/${claimed.id}?force=true`);
  assert.deepEqual([answer.status, answer.body.status], [200, "terminated"]);
  const commands = async () =>
    (await api.call("PUT", `/workerpool/workers/${workerId}/heartbeat`, {}))
      .body.commands;
  assert.deepEqual((await commands())[0].force, [true][0]);
  assert.equal((await commands()).length, 1);
  await api.report(workerId, claimed, "terminated");
  assert.deepEqual(await commands(), []);
});

Deno.test("refresh moves the end of a session that lives, and refuses one that has ended", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { claimed: { id } } = await api.running({
    resource_limits: { timeout_minutes: 10 },
  });
  const minutesLeft = async (json?: unknown) => {
    const { body } = await api.call("POST", `/sessions/${id}/refresh`, json);
    return (Date.parse(body.expires_at) - Date.parse(body.updated_at)) / 60_000;
  };
  assert.equal(await minutesLeft({ timeout_minutes: 90 }), 90);
  assert.equal(await minutesLeft(), 10);
  await api.call("DELETE", `/sessions/${id}?force=true`);
  assertRefused(await api.call("POST", `/sessions/${id}/refresh`), {
    status: 410,
    code: "session_ended",
  });
});

Deno.test("everything about a session that does not exist is refused alike", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const ids = ["not-an-id", "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d"];
  for (const id of ids) {
    const asked: [string, string, unknown?][] = [
      ["GET", ""],
      ["GET", "?include=events"],
      ["DELETE", ""],
      ["POST", "/refresh"],
      ["GET", "/events"],
      ["GET", "/metrics"],
      ["GET", "/logs"],
      ["POST", "/events", { fencing_token: 1, event: "session_idle" }],
      ["POST", "/metrics", { fencing_token: 1 }],
    ];
    for (const [method, path, json] of asked) {
      assertRefused(await api.call(method, `/sessions/${id}${path}`, json), {
        status: 404,
        code: "session_not_found",
      });
    }
  }
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
