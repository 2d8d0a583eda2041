import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import {
  type OpenMessage,
  renderTunnelPath,
} from "../../../src/tunnel/protocol.ts";
import {
  INSTANCE_HEADER,
  SECRET_HEADER,
} from "../../../src/core/worker_proof.ts";
import { createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";
import { untilWaiting } from "../../support/until_waiting.ts";
import {
  rawClient,
  readBytes,
  readRejection,
} from "../../support/raw_client.ts";
import { createRunningSession, openTunnel, register } from "./manual_worker.ts";

const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

Deno.test("a worker's tunnel is not opened without its secret or by an earlier process", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const { id, headers } = await register(api, "one");
  const requestRejected = async (
    workerId: string,
    changes: Readonly<Record<string, string>>,
  ) => {
    const url = grid.url + renderTunnelPath(workerId);
    const { status, code } = await readRejection(url, {
      ...headers,
      ...changes,
    });
    return `${status} ${code}`;
  };
  assert.equal(
    (await readRejection(grid.url + renderTunnelPath(id))).code,
    "unauthorized",
  );
  assert.equal(
    await requestRejected(id, { [SECRET_HEADER]: "another-secret-01234" }),
    "401 unauthorized",
  );
  assert.equal(
    await requestRejected(id, { [INSTANCE_HEADER]: crypto.randomUUID() }),
    "409 worker_replaced",
  );
  assert.equal(
    await requestRejected(crypto.randomUUID(), {}),
    "404 worker_not_found",
  );
  const { body } = await api.call("GET", `/workerpool/workers/${id}`);
  assert.ok(!body.has_tunnel);
});

Deno.test("with authentication, only a key of the role worker and the worker's pool opens its tunnel", async () => {
  await using grid = await keyedGrid({ listen: true });
  await grid.admin.pool();
  const other = await grid.admin.pool({ name: "other" });
  const own = await grid.admin.call("GET", "/workerpool/pools/pool");
  const { id, headers } = await register(grid.admin, "one");
  const codeFor = async (key: string | undefined) => {
    const keyHeaders = key === undefined ? {} : { "x-api-key": key };
    const url = grid.url + renderTunnelPath(id);
    return (await readRejection(url, { ...headers, ...keyHeaders })).code;
  };
  const createKey = async (work_pool_id: string) =>
    (await grid.key({ role: "worker", work_pool_id })).key;
  assert.equal(await codeFor(undefined), "unauthorized");
  assert.equal(await codeFor((await grid.key()).key), "forbidden");
  assert.equal(await codeFor(await createKey(other.id)), "worker_not_found");
  await using _tunnel = await openTunnel(grid.url, {
    id,
    headers: { ...headers, "x-api-key": await createKey(own.body.id) },
  });
});

Deno.test("a stream is accepted only from its worker and only once, without loss of the bytes that follow the handshake", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const [one, two] = [await register(api, "one"), await register(api, "two")];
  await using tunnel = await openTunnel(grid.url, one);
  const session = await createRunningSession(api, one.id);
  const client = rawClient(`${grid.url}/v1/sessions/${session}/cdp`);
  const { stream_id, session_id } = await tunnel.nextOpen();
  assert.equal(session_id, session);
  const dial = (id: string) => grid.url + renderTunnelPath(id, stream_id);
  assert.equal(
    (await readRejection(dial(two.id), two.headers)).code,
    "not_found",
  );
  const early = new TextEncoder().encode(`${SWITCH}hello`);
  for (const proof of [{}, two.headers]) {
    const { code } = await readRejection(dial(one.id), proof);
    assert.equal(code, "unauthorized");
  }
  using stream = await rawClient(dial(one.id), one.headers, early);
  assert.match(stream.head, /^HTTP\/1\.1 101 /);
  using joined = await client;
  const rest = await readBytes(joined.socket, 5 - joined.rest.length);
  assert.equal(Buffer.concat([joined.rest, rest]).toString(), "hello");
  assert.equal(
    (await readRejection(dial(one.id), one.headers)).code,
    "not_found",
  );
});

Deno.test("a client is rejected at once when its worker rejects the stream; a rejection by another worker has no effect", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const [one, two] = [await register(api, "one"), await register(api, "two")];
  await using tunnel = await openTunnel(grid.url, one);
  await using others = await openTunnel(grid.url, two);
  const session = await createRunningSession(api, one.id);
  const client = readRejection(`${grid.url}/v1/sessions/${session}/cdp`);
  const { stream_id } = await tunnel.nextOpen();
  let isRejected = false;
  void client.then(() => isRejected = true);
  others.reject(stream_id);
  tunnel.socket.send("no JSON");
  for (const { socket } of [others, tunnel]) {
    socket.ping();
    await once(socket, "pong");
  }
  await untilWaiting();
  assert.ok(!isRejected);
  tunnel.reject(stream_id);
  assert.equal((await client).code, "worker_unreachable");
});

Deno.test("a later tunnel of a worker replaces an earlier one, and pending streams are requested again", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const one = await register(api, "one");
  await using earlier = await openTunnel(grid.url, one);
  const session = await createRunningSession(api, one.id);
  const client = readRejection(`${grid.url}/v1/sessions/${session}/cdp`);
  const first = await earlier.nextOpen();
  const closed = once(earlier.socket, "close");
  const again = Promise.withResolvers<OpenMessage>();
  await using later = await openTunnel(grid.url, one);
  void later.nextOpen().then(again.resolve);
  await closed;
  const { stream_id } = await again.promise;
  assert.equal(stream_id, first.stream_id);
  later.reject(stream_id);
  await client;
  const { body } = await api.call("GET", `/workerpool/workers/${one.id}`);
  assert.ok(body.has_tunnel);
});

Deno.test("a worker's new process determines how its sessions are reached", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await register(api, "one", "direct");
  const session = await createRunningSession(api, id);
  const reach = async () =>
    (await api.call("GET", `/sessions/${session}`)).body.reach;
  assert.equal(await reach(), "direct");
  await register(api, "one", "tunnel");
  assert.equal(await reach(), "tunnel");
  await register(api, "one", "auto");
  assert.equal(
    await reach(),
    "tunnel",
    "unchanged until a probe has another result",
  );
});
