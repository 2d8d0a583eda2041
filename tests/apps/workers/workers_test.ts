import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";

const WORKERS = "/workerpool/workers";
const SECRET = "a-secret-of-16-letters";
const UNKNOWN = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

Deno.test("POST workers registers a worker and tells what it needs", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const pool = await api.pool();
  const { status, headers, body } = await api.call("POST", WORKERS, {
    name: "one",
    work_pool_id: "pool",
    provider_type: "local",
    provider_details: { hostname: "h" },
    capacity: 3,
    secret: SECRET,
    ip_address: "10.0.0.7",
    version: "1.2.3",
  });
  assert.equal(status, 201);
  assert.equal(headers.get("location"), `/v1${WORKERS}/${body.worker.id}`);
  assert.match(body.grid_id, /^[0-9a-f-]{36}$/);
  assert.ok(body.lease_ttl_ms > body.heartbeat_ms);
  assert.deepEqual(body.held_sessions, []);
  const { id: _, created_at: __, last_heartbeat: ___, ...rest } = body.worker;
  assert.deepEqual(rest, {
    name: "one",
    work_pool_id: pool.id,
    provider_type: "local",
    provider_details: { hostname: "h" },
    capacity: 3,
    current_load: 0,
    status: "online",
    ready: 0,
    reach: "auto",
    has_tunnel: false,
    cpu_percent: null,
    memory_usage_mb: null,
    disk_usage_mb: null,
    ip_address: "10.0.0.7",
    version: "1.2.3",
  });
  for (const path of [WORKERS, `${WORKERS}/${body.worker.id}`]) {
    const { text } = await api.call("GET", path);
    assert.doesNotMatch(text, /secret/);
  }
});

Deno.test("the same name with the same secret is the same worker, and is told what it holds", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const instance_id = crypto.randomUUID();
  const body = {
    work_pool_id: "pool",
    name: "one",
    secret: SECRET,
    instance_id,
  };
  const first = await api.call("POST", WORKERS, body);
  const { id } = await api.session();
  await api.claim(first.body.worker.id);
  const again = await api.call("POST", WORKERS, { ...body, capacity: 9 });
  assert.equal(again.body.worker.id, first.body.worker.id);
  assert.equal(again.body.worker.capacity, 9);
  assert.equal(again.body.grid_id, first.body.grid_id);
  assert.deepEqual(again.body.held_sessions, [{
    session_id: id,
    fencing_token: 1,
    status: "starting",
  }]);
});

Deno.test("a worker comes back by its id, also under another name", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const body = { work_pool_id: "pool", name: "one", secret: SECRET };
  const { body: { worker: { id } } } = await api.call("POST", WORKERS, body);
  const renamed = await api.call("POST", WORKERS, { ...body, id, name: "two" });
  assert.equal(renamed.status, 201);
  assert.deepEqual(
    [renamed.body.worker.id, renamed.body.worker.name],
    [id, "two"],
  );
  const fresh = await api.call("POST", WORKERS, {
    ...body,
    id: UNKNOWN,
    name: "three",
  });
  assert.equal(fresh.body.worker.id, UNKNOWN);
  assert.equal((await api.call("GET", WORKERS)).body.items.length, 2);
});

Deno.test("nobody registers as another's worker", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  await api.pool({ name: "other" });
  const body = { work_pool_id: "pool", name: "one", secret: SECRET };
  const { body: { worker: { id } } } = await api.call("POST", WORKERS, body);
  await api.call("POST", WORKERS, { ...body, name: "taken" });
  const wrong = "another-secret-of-letters";
  for (
    const impostor of [
      { ...body, secret: wrong },
      { ...body, id, secret: wrong },
      { ...body, id, name: "free", secret: wrong },
      { ...body, id, work_pool_id: "other" },
      { ...body, id, name: "taken" },
      { work_pool_id: "pool", name: "one" },
      { work_pool_id: "pool", id },
    ]
  ) {
    assertRefused(await api.call("POST", WORKERS, impostor), {
      status: 409,
      code: "worker_in_use",
    });
  }
});

Deno.test("a registration that is wrong is refused with what would be right", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ max_workers: 1 });
  const cases: [unknown, number, string, RegExp][] = [
    [{}, 422, "invalid_request", /work_pool_id/],
    [{ work_pool_id: "none" }, 404, "pool_not_found", /none/],
    [
      { work_pool_id: "pool", provider_type: "docker" },
      409,
      "provider_mismatch",
      /local/,
    ],
    [{ work_pool_id: "pool", capacity: 0 }, 422, "invalid_request", /capacity/],
    [{ work_pool_id: "pool", name: "../x" }, 422, "invalid_request", /letters/],
    [{ work_pool_id: "pool", secret: "x" }, 422, "invalid_request", /secret/],
  ];
  for (const [body, status, code, detail] of cases) {
    assertRefused(
      await api.call("POST", WORKERS, body),
      { status, code },
      detail,
    );
  }
  await api.worker({ name: "first", secret: SECRET });
  assertRefused(
    await api.call("POST", WORKERS, { work_pool_id: "pool", name: "second" }),
    { status: 409, code: "pool_full" },
  );
  assert.ok(await api.worker({ name: "first", secret: SECRET }));
});

Deno.test("a heartbeat records the worker's state and is answered with its orders", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const id = await api.worker();
  const { status, body } = await api.call("PUT", `${WORKERS}/${id}/heartbeat`, {
    status: "busy",
    current_load: 5,
    cpu_percent: 55.5,
    memory_usage_mb: 2_000,
    disk_usage_mb: 9,
    provider_details: { engine: "27" },
  });
  assert.equal(status, 200);
  assert.deepEqual([body.status, body.reports, body.commands], [
    "busy",
    [],
    [],
  ]);
  const { body: worker } = await api.call("GET", `${WORKERS}/${id}`);
  assert.equal(worker.current_load, 5);
  assert.equal(worker.cpu_percent, 55.5);
  assert.equal(worker.memory_usage_mb, 2_000);
  assert.equal(worker.disk_usage_mb, 9);
  assert.deepEqual(worker.provider_details, { engine: "27" });
});

Deno.test("one heartbeat carries the reports of many sessions, and changes nothing more when it is repeated", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const claimed: Awaited<ReturnType<typeof api.claim>>[] = [];
  for (let at = 0; at < 4; at++) {
    await api.session();
    claimed.push(await api.claim(worker));
  }
  const statuses = ["running", "failed", "running", "crashed"];
  const sessions = claimed.map((session, at) => ({
    session_id: session?.id,
    fencing_token: 1,
    status: statuses[at],
    status_reason: `reason ${at}`,
    progress: [`line ${at}`],
    ...(statuses[at] === "running"
      ? { endpoint: "ws://127.0.0.1:9/devtools/browser/x" }
      : {}),
  }));
  const path = `${WORKERS}/${worker}/heartbeat`;
  const first = await api.call("PUT", path, { sessions });
  assert.deepEqual(
    first.body.reports.map(({ result }: { result: string }) => result),
    Array(4).fill("accepted"),
  );
  const look = async () =>
    await Promise.all(claimed.map(async (session) => {
      const { body } = await api.call(
        "GET",
        `/sessions/${session?.id}?include=events`,
      );
      return {
        status: body.status,
        reason: body.status_reason,
        events: body.events.map(({ event }: { event: string }) => event)
          .filter((event: string) => event !== "session_progress"),
      };
    }));
  const before = await look();
  assert.deepEqual(before.map(({ status }) => status), statuses);
  assert.deepEqual(before[1]?.reason, "reason 1");
  await api.call("PUT", path, { sessions });
  assert.deepEqual(await look(), before);
});

Deno.test("a report under a stale fencing token, or by another worker, is refused and changes nothing", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const other = await api.worker({ name: "other" });
  const stale = { id: claimed.id, fencing_token: claimed.fencing_token + 1 };
  assert.equal(await api.report(workerId, stale, "crashed"), "lease_lost");
  assert.equal(await api.report(other, claimed, "crashed"), "lease_lost");
  const { body } = await api.call("GET", `/sessions/${claimed.id}`);
  assert.equal(body.status, "running");
});

Deno.test("a drained worker is told so with every heartbeat, gets no session and stays draining", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const id = await api.worker();
  const { body } = await api.call("POST", `${WORKERS}/${id}/drain`);
  assert.equal(body.status, "draining");
  await api.session();
  assert.equal(await api.claim(id), undefined);
  for (let beat = 0; beat < 2; beat++) {
    const answer = await api.call("PUT", `${WORKERS}/${id}/heartbeat`, {
      status: "online",
    });
    assert.equal(answer.body.status, "draining");
    const [{ type, timeout_ms }] = answer.body.commands;
    assert.equal(type, "drain");
    assert.ok(timeout_ms > 3_590_000 && timeout_ms <= 3_600_000, timeout_ms);
  }
});

Deno.test("DELETE removes an idle worker and refuses one that holds sessions", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  assertRefused(await api.call("DELETE", `${WORKERS}/${workerId}`), {
    status: 409,
    code: "worker_busy",
  });
  await api.report(workerId, claimed, "completed");
  assert.equal(
    (await api.call("DELETE", `${WORKERS}/${workerId}`)).status,
    204,
  );
  const { body } = await api.call("GET", `/sessions/${claimed.id}`);
  assert.equal(body.worker_id, workerId, "the session remembers it");
});

Deno.test("GET workers lists them page by page and by pool and status", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const other = await api.pool({ name: "other" });
  const ids = [await api.worker(), await api.worker()];
  await api.worker({ work_pool_id: "other" });
  const list = async (query: string) =>
    (await api.call("GET", `${WORKERS}?${query}`)).body;
  const first = await list("limit=1");
  assert.deepEqual(first.items[0].id, ids[0]);
  const second = await list(`limit=1&cursor=${first.next_cursor}`);
  assert.deepEqual(second.items[0].id, ids[1]);
  assert.equal((await list(`work_pool_id=${other.id}`)).items.length, 1);
  assert.equal((await list("status=offline")).items.length, 0);
});

Deno.test("everything about a worker that does not exist is refused alike", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  for (const id of ["not-an-id", UNKNOWN]) {
    const asked: [string, string, unknown?][] = [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/drain"],
      ["POST", "/claim-session"],
      ["PUT", "/heartbeat", {}],
    ];
    for (const [method, path, json] of asked) {
      assertRefused(await api.call(method, `${WORKERS}/${id}${path}`, json), {
        status: 404,
        code: "worker_not_found",
      });
    }
  }
});

Deno.test("a report that comes twice records its progress once; the next start may say the same again", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  const worker = await api.worker();
  const claimed = await api.claim(worker);
  assert.ok(claimed);
  const progress = ["Pulling", "Starting"];
  await api.report(worker, claimed, "starting", { progress });
  await api.report(worker, claimed, "starting", { progress });
  const { body } = await api.call("GET", `/sessions/${id}/events`);
  const lines = body.items.filter(({ event }: { event: string }) =>
    event === "session_progress"
  );
  assert.deepEqual(
    lines.map(({ data }: { data: { message: string } }) => data.message),
    progress,
  );
});

Deno.test("two reports of one session in one heartbeat are refused", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const report = { session_id: UNKNOWN, fencing_token: 1, status: "running" };
  assertRefused(
    await api.call("PUT", `${WORKERS}/${worker}/heartbeat`, {
      sessions: [report, report],
    }),
    { status: 422, code: "invalid_request" },
    /one report a session/,
  );
});

Deno.test("registrations at once do not pass max_workers together", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ max_workers: 2 });
  const answers = await Promise.all(
    Array.from(
      { length: 5 },
      (_, at) =>
        api.call("POST", WORKERS, {
          work_pool_id: "pool",
          name: `worker-${at}`,
        }),
    ),
  );
  const codes = answers.map(({ status, body }) => body.code ?? status).sort();
  assert.deepEqual(codes, [201, 201, "pool_full", "pool_full", "pool_full"]);
});
