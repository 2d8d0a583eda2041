/**
 * The limits of a worker key: it can act only for the worker that has registered, and only from its current process.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  INSTANCE_HEADER,
  proofHeaders,
  SECRET_HEADER,
} from "../../../src/core/worker_proof.ts";
import { renderTunnelPath } from "../../../src/tunnel/protocol.ts";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { type KeyedGrid, keyedGrid } from "../../support/keys.ts";
import { readRejection } from "../../support/raw_client.ts";
import { testGrid } from "../../support/grid.ts";
import { findProof } from "../../support/worker_proofs.ts";

type Headers = Readonly<Record<string, string>>;

const WORKERS = "/workerpool/workers";

/** Operations of a worker key that do not act for a worker. */
const NO_CALLS = [
  "getCaller",
  "getWorker",
  "registerWorker",
];

/** Creates two workers of one pool with one key. "mine" runs a session and has registered twice. */
async function twoWorkers() {
  await using stack = new AsyncDisposableStack();
  const grid = stack.use(await keyedGrid({ listen: true }));
  await grid.admin.pool();
  const { key } = await grid.key({ role: "worker", work_pool_id: "pool" });
  const api = grid.as(key);
  const secret = "the-secret-of-mine-012";
  const register = (instance_id: string) =>
    api.worker({ name: "mine", secret, instance_id });
  const earlier = { secret, instanceId: crypto.randomUUID() };
  await register(earlier.instanceId);
  const own = { secret, instanceId: crypto.randomUUID() };
  const id = await register(own.instanceId);
  const other = findProof(await api.worker({ name: "other" }));
  await grid.admin.session();
  const claimed = await api.claim(id);
  assert.ok(claimed);
  await api.report(id, claimed, "running", {
    endpoint: "ws://127.0.0.1:9/devtools/browser/x",
  });
  await grid.admin.session();
  const owned = stack.move();
  return {
    grid,
    key,
    id,
    claimed,
    own: proofHeaders(own),
    wrong: {
      "another worker's": proofHeaders(other),
      "an earlier process's": proofHeaders(earlier),
      "no": {},
      "no secret": { [INSTANCE_HEADER]: own.instanceId },
      "no instance": { [SECRET_HEADER]: own.secret },
      "its secret, another's instance": proofHeaders({ ...other, secret }),
      "its instance, another's secret": proofHeaders({
        ...own,
        secret: other.secret,
      }),
      "its id as a secret": proofHeaders({ ...own, secret: id }),
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type Scene = Awaited<ReturnType<typeof twoWorkers>>;

/** Returns every call of a worker for itself, by operation; each resolves with status and code. */
function createCalls(
  { grid, key, id, claimed }: Scene,
): Readonly<Record<string, (headers: Headers) => Promise<string>>> {
  const over =
    (method: string, path: string, json?: unknown) =>
    async (headers: Headers) => {
      const response = await grid.request(`/v1${path}`, {
        method,
        json,
        headers: { "x-api-key": key, ...headers },
      });
      const text = await response.text();
      const code = text === "" ? "" : JSON.parse(text).code ?? "";
      return `${response.status} ${code}`.trim();
    };
  const socket = (path: string) => async (headers: Headers) => {
    const shown = { "x-api-key": key, ...headers };
    const { status, code } = await readRejection(grid.url + path, shown);
    return `${status} ${code}`;
  };
  const token = { fencing_token: claimed.fencing_token };
  const session = `/sessions/${claimed.id}`;
  return {
    claimSession: over("POST", `${WORKERS}/${id}/claim-session`),
    addSessionEvent: over("POST", `${session}/events`, {
      ...token,
      event: "session_idle",
    }),
    addSessionMetric: over("POST", `${session}/metrics`, {
      ...token,
      memory_mb: 1,
    }),
    addSessionLogs: over("POST", `${session}/logs`, {
      ...token,
      text: "line",
    }),
    sendBrowserEvents: over("POST", `${WORKERS}/${id}/browser-events`, {
      events: [],
    }),
    workerTunnel: socket(renderTunnelPath(id)),
    workerStream: socket(renderTunnelPath(id, "0".repeat(32))),
    sendHeartbeat: over("PUT", `${WORKERS}/${id}/heartbeat`, {
      status: "offline",
      sessions: [{ ...token, session_id: claimed.id, status: "crashed" }],
    }),
  };
}

/** Returns all state that a worker's call could change. */
async function readState({ core }: KeyedGrid): Promise<string> {
  const tables = [
    "sessions",
    "workers",
    "events",
    "session_metrics",
  ];
  const results = await core.db.client.batch(
    tables.map((table) => `SELECT * FROM ${table}`),
    "read",
  );
  return JSON.stringify(results.map(({ rows }) => rows));
}

Deno.test("every call of a worker needs its proof; a call without it is rejected and changes nothing", async () => {
  await using s = await twoWorkers();
  const calls = createCalls(s);
  const before = await readState(s.grid);
  for (const [operation, call] of Object.entries(calls)) {
    for (const [which, headers] of Object.entries(s.wrong)) {
      const got = await call(headers);
      assert.match(
        got,
        /^(401 unauthorized|409 (worker_replaced|lease_lost)|422 invalid_request)$/,
        `${operation} with ${which} proof: ${got}`,
      );
    }
  }
  assert.equal(await readState(s.grid), before);
  // Other tests open the tunnel and its stream; here no stream is awaited.
  const { workerTunnel: _, workerStream, ...rest } = calls;
  assert.equal(await workerStream?.(s.own), "404 not_found");
  for (const [operation, call] of Object.entries(rest)) {
    assert.match(await call(s.own), /^20[04]$/, operation);
  }
});

Deno.test("the matrix of workers' calls contains every operation that workers may use", async () => {
  await using s = await twoWorkers();
  const { paths } = await (await s.grid.request("/openapi.json")).json();
  const operations = Object.values(paths).flatMap((each) =>
    Object.values(
      each as Record<
        string,
        { readonly operationId: string; readonly "x-roles"?: string[] }
      >,
    )
  );
  const ofWorkers = operations.filter((each) =>
    each["x-roles"]?.includes("worker")
  ).map(({ operationId }) => operationId);
  const known = [...Object.keys(createCalls(s)), ...NO_CALLS];
  assert.deepEqual(ofWorkers.toSorted(), known.toSorted());
});

Deno.test("a worker key cannot delete, drain or resume a worker, or register under another's name or id", async () => {
  await using s = await twoWorkers();
  const api = s.grid.as(s.key);
  const before = await readState(s.grid);
  const forbidden = { status: 403, code: "forbidden" };
  for (
    const [method, path] of [
      ["DELETE", ""],
      ["POST", "/drain"],
      ["POST", "/resume"],
    ] as const
  ) {
    const answer = await api.call(method, `${WORKERS}/${s.id}${path}`);
    assertRefused(answer, forbidden);
  }
  const taken = { status: 409, code: "worker_in_use" };
  const others = [
    { name: "mine" },
    { name: "mine", secret: "another-secret-01234" },
    { id: s.id },
    { id: s.id, name: "mine", secret: s.id },
    { id: s.id, secret: "another-secret-01234" },
  ];
  for (const fields of others) {
    const body = { work_pool_id: "pool", ...fields };
    assertRefused(await api.call("POST", WORKERS, body), taken);
  }
  assert.equal(await readState(s.grid), before);
});

Deno.test("a registration without secret and instance id receives both, once, and they are valid proofs", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { body, headers } = await api.call("POST", WORKERS, {
    work_pool_id: "pool",
  });
  assert.equal(headers.get("cache-control"), "no-store");
  const { secret, instance_id, worker } = body;
  const beat = await grid.request(`/v1${WORKERS}/${worker.id}/heartbeat`, {
    method: "PUT",
    json: {},
    headers: proofHeaders({ secret, instanceId: instance_id }),
  });
  assert.equal(beat.status, 200, await beat.text());
  const again = await api.call("POST", WORKERS, {
    work_pool_id: "pool",
    name: worker.name,
    secret,
  });
  assert.equal(again.body.secret, undefined);
  assert.equal(again.body.worker.id, worker.id);
});
