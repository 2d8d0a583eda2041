import { z } from "@hono/zod-openapi";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { REPLICA_HEADER } from "../../../src/http/auth/replica_token.ts";
import { handoverPurpose } from "../../../src/gateway/tunnel/handover.ts";
import { renderTunnelPath } from "../../../src/tunnel/protocol.ts";
import { createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { freePort } from "../../support/free_port.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import { BOOTSTRAP_KEY, keyedGrid } from "../../support/keys.ts";
import {
  rawClient,
  readBytes,
  readRejection,
} from "../../support/raw_client.ts";
import { untilWaiting } from "../../support/until_waiting.ts";
import { createRunningSession, openTunnel, register } from "./manual_worker.ts";
import { tunnelScene } from "./scene.ts";

const addressSchema = z.object({ port: z.int() });

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (...all: readonly Uint8Array[]) => Buffer.concat(all).toString();

/** A load balancer: each connection goes to the next server. */
async function startBalancer(urls: readonly string[]) {
  const ports = urls.map((url) => Number(new URL(url).port));
  const sockets = new Set<Socket>();
  const counts = ports.map(() => 0);
  let turn = 0;
  const server = createServer((near) => {
    const at = turn++ % ports.length;
    counts[at] = (counts[at] ?? 0) + 1;
    const far = connect(ports[at] ?? 0, "127.0.0.1");
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = addressSchema.parse(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    /** Number of connections by server. */
    counts,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A server that accepts connections and never responds. */
async function startSilent(taken: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.resume();
    taken(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = addressSchema.parse(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

/** A worker without a process whose tunnel is open to one of two servers with authentication, and a client that waits there. */
async function balancedScene() {
  await using stack = new AsyncDisposableStack();
  const here = stack.use(await keyedGrid({ listen: true }));
  const there = stack.use(
    await keyedGrid({ dataDir: here.dataDir, listen: true }),
  );
  await here.admin.pool();
  const pool = await here.admin.call("GET", "/workerpool/pools/pool");
  const { key } = await here.key({
    role: "worker",
    work_pool_id: pool.body.id,
  });
  const registered = await register(here.admin, "one");
  const headers = { ...registered.headers, "x-api-key": key };
  const worker = { ...registered, headers };
  const tunnel = stack.use(await openTunnel(here.url, worker));
  const session = await createRunningSession(here.admin, worker.id);
  const client = rawClient(
    `${here.url}/v1/sessions/${session}/cdp`,
    { "x-api-key": BOOTSTRAP_KEY },
    bytes("early"),
  );
  const { stream_id: streamId } = await tunnel.nextOpen();
  const stream = { workerId: worker.id, streamId };
  const tokens = here.core.auth.connectTokens;
  const owned = stack.move();
  return {
    here,
    there,
    headers,
    /** Proof headers of the worker, without its key. */
    proven: registered.headers,
    session,
    client,
    tunnel,
    tokens,
    stream,
    proof: await tokens.issue(handoverPurpose(stream)),
    dial: ({ url }: TestGrid, id = streamId) =>
      url + renderTunnelPath(worker.id, id),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

Deno.test("workers and clients behind a load balancer are connected, whichever server each connection reaches", async () => {
  await using s = await tunnelScene({ upstream: { greeting: bytes("hello") } });
  await using there = await testGrid({
    dataDir: s.grid.dataDir,
    listen: true,
  });
  await using balancer = await startBalancer([s.grid.url, there.url]);
  await s.start({ reach: "tunnel", tunnelUrl: balancer.url });
  const id = await s.running();
  const before = [...balancer.counts];
  const sent = new Uint8Array(1_000_000).map((_, at) => at % 251);
  await Promise.all(
    [s.grid, there, s.grid, there, s.grid, there].map(async (grid) => {
      using client = await rawClient(s.toUrl(id, grid), {}, bytes("early"));
      assert.match(client.head, /^HTTP\/1\.1 101 /);
      const rest = await readBytes(client.socket, 10 - client.rest.length);
      assert.equal(text(client.rest, rest), "helloearly");
      client.socket.write(sent);
      const got = await readBytes(client.socket, sent.length);
      assert.deepEqual(new Uint8Array(got), sent);
    }),
  );
  const got = balancer.counts.map((count, at) => count - (before[at] ?? 0));
  assert.deepEqual(got, [3, 3]);
});

Deno.test("a close of either side passes through the server that the worker has dialled", async () => {
  await using s = await tunnelScene();
  await using there = await testGrid({
    dataDir: s.grid.dataDir,
    listen: true,
  });
  // The worker's tunnel reaches one server, its next connection the other.
  await using balancer = await startBalancer([s.grid.url, there.url]);
  await s.start({ reach: "tunnel", tunnelUrl: balancer.url });
  const id = await s.running();
  using first = await rawClient(s.toUrl(id));
  assert.deepEqual(balancer.counts, [1, 1]);
  first.socket.resume();
  const ended = once(first.socket, "close");
  s.upstream.sockets[0]?.destroy();
  // Before that, the server probed the browser on a separate stream.
  await ended;
  using third = await rawClient(s.toUrl(id));
  assert.deepEqual(balancer.counts, [2, 2]);
  const browser = s.upstream.sockets[1];
  assert.ok(browser);
  browser.resume();
  const left = once(browser, "close");
  third.socket.destroy();
  await left;
});

Deno.test("a worker that reaches another server than its tunnel needs its key there, and loses no byte", async () => {
  await using s = await balancedScene();
  const requestRejected = async (key?: string) => {
    const shown = key === undefined ? {} : { "x-api-key": key };
    const { status, code } = await readRejection(s.dial(s.there), {
      ...s.proven,
      ...shown,
    });
    return `${status} ${code}`;
  };
  const other = await s.here.admin.pool({ name: "other" });
  const foreign = await s.here.key({ role: "worker", work_pool_id: other.id });
  assert.equal(await requestRejected(), "401 unauthorized");
  assert.equal(
    await requestRejected((await s.here.key()).key),
    "403 forbidden",
  );
  assert.equal(await requestRejected(foreign.key), "404 worker_not_found");
  const shown = s.headers;
  const unknown = s.dial(s.there, "0".repeat(32));
  assert.equal((await readRejection(unknown, shown)).code, "not_found");
  using dialled = await rawClient(
    s.dial(s.there),
    shown,
    bytes(`${SWITCH}hello`),
  );
  assert.match(dialled.head, /^HTTP\/1\.1 101 /);
  using joined = await s.client;
  const rest = await readBytes(joined.socket, 5 - joined.rest.length);
  assert.equal(text(joined.rest, rest), "hello");
  joined.socket.write("more");
  let got = text(dialled.rest);
  while (!got.endsWith("earlymore")) {
    got += text(await readBytes(dialled.socket, 1));
  }
  assert.equal((await readRejection(s.dial(s.there), shown)).code, "not_found");
});

Deno.test("a server's proof is valid for one pending stream, at the server that waits for it", async () => {
  await using s = await balancedScene();
  const { tokens, stream } = s;
  const requestRejected = async (
    url: string,
    proof: string,
    headers: Readonly<Record<string, string>> = {},
  ) =>
    (await readRejection(url, { ...headers, [REPLICA_HEADER]: proof })).status;
  const ofOther = { ...stream, streamId: "0".repeat(32) };
  const wrong = [
    "",
    "ct_zzzzzzzz_forged",
    await tokens.issue(s.session),
    await tokens.issue(`replica ${stream.workerId} ${s.session}`),
    await tokens.issue(handoverPurpose(ofOther)),
    await tokens.issue(
      handoverPurpose({ ...stream, workerId: crypto.randomUUID() }),
    ),
  ];
  for (const proof of wrong) {
    assert.equal(await requestRejected(s.dial(s.here), proof), "401", proof);
    const key = s.headers;
    assert.equal(
      await requestRejected(s.dial(s.here), proof, key),
      "401",
      proof,
    );
  }
  const notPending = s.dial(s.here, ofOther.streamId);
  assert.equal(
    await requestRejected(
      notPending,
      await tokens.issue(handoverPurpose(ofOther)),
    ),
    "404",
  );
  // A forwarded stream is not forwarded again.
  assert.equal(await requestRejected(s.dial(s.there), s.proof), "404");
  // The proof is not accepted for other requests.
  const others = ["/v1/sessions", `/v1/workerpool/workers/${stream.workerId}`];
  for (const path of others) {
    const headers = { [REPLICA_HEADER]: s.proof };
    const { status } = await s.here.request(path, { headers });
    assert.equal(status, 401);
  }
  const headers = { [REPLICA_HEADER]: s.proof };
  using dialled = await rawClient(s.dial(s.here), headers, bytes(SWITCH));
  assert.match(dialled.head, /^HTTP\/1\.1 101 /);
  using _joined = await s.client;
});

Deno.test("a worker gets not_found for a stream if the server with its tunnel is gone", async () => {
  await using s = await balancedScene();
  await s.here.core.db.client.execute({
    sql: "UPDATE workers SET tunnel_url = ? WHERE id = ?",
    args: [`http://127.0.0.1:${await freePort()}`, s.stream.workerId],
  });
  const { status, code } = await readRejection(s.dial(s.there), s.headers);
  assert.deepEqual([status, code], ["404", "not_found"]);
  s.tunnel.reject(s.stream.streamId);
  using client = await s.client;
  assert.match(client.head, /^HTTP\/1\.1 503 /);
});

Deno.test("a server that forwards a stream times out after five seconds", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ listen: true, clock });
  const api = createApiClient(grid);
  await api.pool();
  const { id, headers } = await register(api, "one");
  const asked = Promise.withResolvers<Socket>();
  await using silent = await startSilent(asked.resolve);
  await grid.core.db.client.execute({
    sql: "UPDATE workers SET tunnel_url = ? WHERE id = ?",
    args: [silent.url, id],
  });
  const url = grid.url + renderTunnelPath(id, "0".repeat(32));
  const refused = readRejection(url, headers);
  const first = await asked.promise;
  const ended = once(first, "close");
  clock.advance(4_999);
  await untilWaiting();
  assert.ok(!first.closed);
  clock.advance(1);
  assert.equal((await refused).code, "not_found");
  await ended;
});
