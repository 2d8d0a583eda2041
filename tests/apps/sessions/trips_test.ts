import assert from "node:assert/strict";
import { type Api, createApiClient } from "../../support/api.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";

/** Objects that the requests of the table name. */
interface Scene {
  readonly api: Api;
  readonly worker: string;
  /** A worker without sessions. */
  readonly idle: string;
  /** A session that runs on `worker`. */
  readonly id: string;
  readonly fencing_token: number;
}

/** A request to `/v1`. */
type Asked = readonly [path: string, json?: unknown];

/** Round trips to the database for each request, in the order of the requests. docs/remote-database.md has the same table. */
const TABLE: readonly (readonly [
  route: string,
  trips: number,
  asked: (scene: Scene) => Asked,
])[] = [
  ["POST /sessions", 2, () => ["/sessions", {}]],
  [
    "POST /workerpool/workers/{worker_id}/claim-session",
    1,
    ({ worker }) => [`/workerpool/workers/${worker}/claim-session`, {}],
  ],
  [
    "PUT /workerpool/workers/{worker_id}/heartbeat",
    1,
    ({ worker, id, fencing_token }) => [
      `/workerpool/workers/${worker}/heartbeat`,
      { sessions: [{ session_id: id, fencing_token, status: "running" }] },
    ],
  ],
  ["GET /sessions", 1, () => ["/sessions?status=running&limit=10"]],
  [
    "GET /sessions/{id}",
    1,
    ({ id }) => [`/sessions/${id}?include=events,metrics`],
  ],
  [
    "GET /sessions/{id}/events",
    1,
    ({ id }) => [`/sessions/${id}/events`],
  ],
  [
    "GET /sessions/{id}/metrics",
    1,
    ({ id }) => [`/sessions/${id}/metrics`],
  ],
  ["GET /sessions/{id}/logs", 1, ({ id }) => [`/sessions/${id}/logs`]],
  [
    "POST /sessions/{id}/events",
    1,
    ({ id, fencing_token }) => [
      `/sessions/${id}/events`,
      { fencing_token, event: "session_idle" },
    ],
  ],
  [
    "POST /sessions/{id}/metrics",
    1,
    ({ id, fencing_token }) => [`/sessions/${id}/metrics`, { fencing_token }],
  ],
  [
    "POST /sessions/{id}/refresh",
    1,
    ({ id }) => [`/sessions/${id}/refresh`],
  ],
  ["DELETE /sessions/{id}", 1, ({ id }) => [`/sessions/${id}`]],
  ["GET /workerpool/pools", 1, () => ["/workerpool/pools"]],
  [
    "POST /workerpool/pools",
    1,
    () => ["/workerpool/pools", { name: "other", provider_type: "local" }],
  ],
  ["GET /workerpool/pools/{pool_id}", 1, () => ["/workerpool/pools/other"]],
  [
    "PUT /workerpool/pools/{pool_id}",
    2,
    () => [
      "/workerpool/pools/other",
      { name: "other", provider_type: "local", priority: 2 },
    ],
  ],
  [
    "PATCH /workerpool/pools/{pool_id}",
    2,
    () => ["/workerpool/pools/other", { priority: 1 }],
  ],
  [
    "GET /workerpool/pools/{pool_id}/pressure",
    1,
    () => ["/workerpool/pools/other/pressure"],
  ],
  [
    "POST /workerpool/pools/{pool_id}/pause",
    2,
    () => ["/workerpool/pools/other/pause"],
  ],
  [
    "POST /workerpool/pools/{pool_id}/resume",
    2,
    () => ["/workerpool/pools/other/resume"],
  ],
  [
    "POST /workerpool/pools/{pool_id}/drain",
    2,
    () => ["/workerpool/pools/other/drain"],
  ],
  [
    "DELETE /workerpool/pools/{pool_id}",
    2,
    () => ["/workerpool/pools/other"],
  ],
  [
    "POST /workerpool/workers",
    2,
    () => ["/workerpool/workers", { work_pool_id: "pool" }],
  ],
  ["GET /workerpool/workers", 1, () => ["/workerpool/workers"]],
  [
    "GET /workerpool/workers/{worker_id}",
    1,
    ({ worker }) => [`/workerpool/workers/${worker}`],
  ],
  [
    "POST /workerpool/workers/{worker_id}/drain",
    1,
    ({ worker }) => [`/workerpool/workers/${worker}/drain`],
  ],
  [
    "POST /workerpool/workers/{worker_id}/resume",
    1,
    ({ worker }) => [`/workerpool/workers/${worker}/resume`],
  ],
  [
    "DELETE /workerpool/workers/{worker_id}",
    2,
    ({ idle }) => [`/workerpool/workers/${idle}`],
  ],
];

async function scene(grid: TestGrid): Promise<Scene> {
  const api = createApiClient(grid);
  await api.pool();
  const { workerId: worker, claimed: { id, fencing_token } } = await api
    .running();
  return { api, worker, idle: await api.worker(), id, fencing_token };
}

/** Counts the round trips so far: for a remote database, the HTTP requests that it received. */
function countTrips({ core, remote }: TestGrid): number {
  const trips = core.db.trips();
  if (remote) assert.equal(remote.requests.length, trips);
  return trips;
}

Deno.test("each request takes the documented number of round trips to the database", async () => {
  await using grid = await testGrid();
  const s = await scene(grid);
  const costs: Record<string, number> = {};
  for (const [route, , asked] of TABLE) {
    const [method = ""] = route.split(" ");
    const before = countTrips(grid);
    const { status, text } = await s.api.call(method, ...asked(s));
    assert.ok(status < 300, `${route}: ${status} ${text}`);
    costs[route] = countTrips(grid) - before;
  }
  const promised = TABLE.map(([route, trips]) => [route, trips]);
  assert.deepEqual(costs, Object.fromEntries(promised));
});

Deno.test("the number of round trips is documented for every endpoint of sessions, pools and workers", async () => {
  await using grid = await testGrid();
  const document = await (await grid.request("/openapi.json")).json();
  const routes = Object.entries<object>(document.paths).flatMap((
    [path, methods],
  ) =>
    Object.keys(methods).map((method) =>
      `${method.toUpperCase()} ${path.replace("/v1", "")}`
    )
  ).filter((each) => /^\w+ \/(sessions|workerpool)\b/.test(each));
  // The endpoints below it also use a browser.
  const ofGateway = /\/(cdp|tunnel|screenshot|pdf|content)\b/;
  const promised = new Set(TABLE.map(([route]) => route));
  assert.deepEqual(
    routes.filter((each) => !promised.has(each) && !ofGateway.test(each)),
    [],
  );
});

Deno.test("a create request with an Idempotency-Key takes no more round trips, repeated neither", async () => {
  await using grid = await testGrid();
  await createApiClient(grid).pool();
  const api = createApiClient(grid, { "idempotency-key": "one" });
  const costs: number[] = [];
  for (let time = 0; time < 2; time++) {
    const before = countTrips(grid);
    await api.session();
    costs.push(countTrips(grid) - before);
  }
  assert.deepEqual(costs, [2, 2]);
});

Deno.test("a liveness check takes no round trip, a readiness check one", async () => {
  await using grid = await testGrid();
  const before = countTrips(grid);
  await grid.request("/health");
  assert.equal(countTrips(grid), before);
  await grid.request("/ready");
  assert.equal(countTrips(grid), before + 1);
});
