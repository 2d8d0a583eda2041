import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { logRecords } from "../../support/log_records.ts";

const WORKERS = "/workerpool/workers";
const SECRET = "a-secret-of-16-letters";
const UNKNOWN = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

Deno.test("POST workers registers a worker and returns the values that it needs", async () => {
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
    version_support: "too_new",
  });
  assert.equal(body.server_version, "0.0.0-test");
  for (const path of [WORKERS, `${WORKERS}/${body.worker.id}`]) {
    const { text } = await api.call("GET", path);
    assert.doesNotMatch(text, /secret/);
  }
});

Deno.test("the same name with the same secret is the same worker, and receives the sessions that it holds", async () => {
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

Deno.test("a worker can register again by its id, also under another name", async () => {
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

Deno.test("no caller can register as another's worker", async () => {
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

Deno.test("an invalid registration is rejected with the values that would be accepted", async () => {
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

Deno.test("concurrent registrations do not exceed max_workers together", async () => {
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

Deno.test("a registered worker is announced on the bus", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const seen: string[] = [];
  using _subscription = grid.core.bus.subscribe(({ type, subject }) => {
    if (type === "worker_registered") seen.push(subject);
  });
  const { body } = await api.call("POST", WORKERS, {
    name: "one",
    work_pool_id: "pool",
    capacity: 1,
    secret: SECRET,
  });
  assert.deepEqual(seen, [body.worker.id]);
});

Deno.test("a worker whose version the server does not support is registered with a warning, others without", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  await using log = await logRecords();
  const versions = ["0.0.9", "0.1.0", "0.2.0", undefined];
  const support: string[] = [];
  for (const [at, version] of versions.entries()) {
    const { body } = await api.call("POST", WORKERS, {
      name: `worker-${at}`,
      work_pool_id: "pool",
      version,
    });
    support.push(body.worker.version_support);
  }
  assert.deepEqual(support, ["supported", "supported", "too_new", "unknown"]);
  const warnings = log.records.filter(({ level }) => level === "warning");
  assert.deepEqual(
    warnings.map(({ properties }) => [
      properties["name"],
      properties["worker_version"],
      properties["server_version"],
    ]),
    [["worker-2", "0.2.0", "0.0.0-test"]],
  );
});
