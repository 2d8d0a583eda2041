import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type Api, createApiClient } from "../../support/api.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import { rawClient, readRejection } from "../../support/raw_client.ts";
import { headersFor } from "../../support/worker_proofs.ts";
import { startUpstream } from "../../support/upstream.ts";

const ID = "devtools/browser/x";

/** Address of a worker on another host. */
const AWAY = "192.0.2.7";

/** Starts a service on the server's host that counts its connections. */
async function startBystander() {
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  let connections = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

/** A worker's report of a started browser. */
interface Report {
  readonly endpoint: string;
  readonly from?: string;
  readonly reach?: "auto" | "direct";
  readonly headers?: Readonly<Record<string, string>>;
}

/** Creates a session whose worker reports that its browser runs; returns its id and the API's view of it. */
async function started(
  grid: TestGrid,
  api: Api,
  { endpoint, from = "127.0.0.1", reach = "auto", headers = {} }: Report,
) {
  const { id } = await api.session();
  const workerId = await api.worker({ reach });
  const claimed = await api.claim(workerId);
  assert.equal(claimed?.id, id);
  const fencing_token = claimed?.fencing_token;
  const path = `/workerpool/workers/${workerId}/heartbeat`;
  const response = await grid.request(
    `/v1${path}`,
    {
      method: "PUT",
      from,
      headers: { ...headersFor("PUT", path), ...headers },
      json: {
        sessions: [{
          session_id: id,
          fencing_token,
          status: "running",
          endpoint,
        }],
      },
    },
  );
  const body = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  const { body: session } = await api.call("GET", `/sessions/${id}`);
  return { id, workerId, result: body.reports[0].result, session };
}

const buildCdpUrl = (grid: TestGrid, id: string) =>
  `${grid.url.replace("http", "ws")}/v1/sessions/${id}/cdp`;

Deno.test("a browser at its worker's address is dialled directly", async () => {
  await using upstream = await startUpstream({});
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  for (const host of ["127.0.0.1", "localhost"]) {
    const endpoint = `ws://${host}:${upstream.port}/${ID}`;
    const { id, session } = await started(grid, api, {
      endpoint,
      from: "::ffff:127.0.0.1",
    });
    assert.equal(session.reach, null);
    using client = await rawClient(buildCdpUrl(grid, id));
    assert.match(client.head, /^HTTP\/1\.1 101 /);
  }
});

Deno.test("an address that is not its worker's is never dialled, by any route of the session", async () => {
  await using other = await startBystander();
  await using grid = await testGrid({
    listen: true,
    settings: { trusted_proxies: '["10.0.0.0/8"]' },
  });
  const api = createApiClient(grid);
  await api.pool();
  const endpoint = `ws://127.0.0.1:${other.port}/${ID}`;
  const reports: readonly Report[] = [
    { endpoint, from: AWAY },
    // An untrusted proxy on this host hides the worker's address.
    { endpoint, headers: { "x-forwarded-for": AWAY } },
    { endpoint, headers: { forwarded: `for=${AWAY}` } },
    // A trusted proxy reports it.
    { endpoint, from: "10.0.0.1", headers: { "x-forwarded-for": AWAY } },
    { endpoint: `ws://localhost:${other.port}/${ID}`, from: AWAY },
    { endpoint: `ws://[::1]:${other.port}/${ID}`, from: AWAY },
    { endpoint: `ws://[::ffff:7f00:1]:${other.port}/${ID}`, from: AWAY },
    { endpoint: `ws://2130706433:${other.port}/${ID}`, from: AWAY },
    { endpoint: `ws://0.0.0.0:${other.port}/${ID}`, from: AWAY },
  ];
  const sessions = [];
  for (const report of reports) {
    const { id, session, workerId } = await started(grid, api, report);
    assert.deepEqual([session.status, session.reach], ["running", "tunnel"]);
    sessions.push({ id, workerId });
  }
  // Other addresses in the worker's reports do not change it.
  for (const { workerId } of sessions.slice(1)) {
    await grid.workers.recordReach(workerId, "direct");
  }
  // Each waits a few seconds for a tunnel.
  await Promise.all(sessions.map(async ({ id }) => {
    const [socket, list] = await Promise.all([
      readRejection(buildCdpUrl(grid, id)),
      api.call("GET", `/sessions/${id}/cdp/json/list`),
    ]);
    assert.deepEqual([socket.status, socket.code], [
      "503",
      "worker_unreachable",
    ]);
    assert.equal(list.status, 503);
    assert.match(socket.detail, /worker_networks/);
  }));
  assert.equal(other.connections(), 0);
});

Deno.test("browsers of any worker are dialled in worker_networks", async () => {
  await using upstream = await startUpstream({});
  await using grid = await testGrid({
    listen: true,
    settings: { worker_networks: '["127.0.0.0/8"]' },
  });
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await started(grid, api, {
    endpoint: upstream.endpoint,
    from: AWAY,
  });
  using client = await rawClient(buildCdpUrl(grid, id));
  assert.match(client.head, /^HTTP\/1\.1 101 /);
});

Deno.test("a session fails with advice if its browser is out of reach and the worker has no tunnel", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { id, result, session } = await started(grid, api, {
    endpoint: `ws://198.51.100.9:9222/${ID}`,
    from: AWAY,
    reach: "direct",
  });
  assert.equal(result, "lease_lost");
  assert.equal(session.status, "failed");
  assert.match(session.status_reason, /not the worker's own.*worker_networks/);
  const { body } = await api.call("GET", `/sessions/${id}/events`);
  const last = body.items.at(-1);
  assert.equal(last.event, "session_failed");
  assert.equal(last.data.reason, session.status_reason);
});

Deno.test("an endpoint has the path of a browser, without user, query or fragment", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  await api.session();
  const workerId = await api.worker();
  const claimed = await api.claim(workerId);
  for (
    const endpoint of [
      ...["ws://127.0.0.1:9/", "ws://127.0.0.1:9/json", "http://127.0.0.1:9/"],
      `ws://me:secret@127.0.0.1:9/${ID}`,
      `ws://127.0.0.1:9/${ID}?a=b`,
      `ws://127.0.0.1:9/${ID}#a`,
      `ws://127.0.0.1:9/${ID}/../../other`,
      `ws://127.0.0.1:9/${ID}%20`,
      `ws://127.0.0.1:9/a/${ID}`,
      `ws://127.0.0.1:9\\a/${ID}`,
      `ws://127.0.0.1:9/${ID}\r\nX: y`,
    ]
  ) {
    const { status, body } = await api.call(
      "PUT",
      `/workerpool/workers/${workerId}/heartbeat`,
      {
        sessions: [{
          session_id: claimed?.id,
          fencing_token: claimed?.fencing_token,
          status: "running",
          endpoint,
        }],
      },
    );
    assert.deepEqual([status, body.code], [422, "invalid_request"], endpoint);
  }
});
