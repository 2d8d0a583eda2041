import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { BrowserAddress } from "../../../src/worker/tunnel/stream.ts";
import {
  createTunnelOpener,
  type TunnelServer,
} from "../../../src/worker/tunnel/client.ts";
import { createFakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { logRecords } from "../../support/log_records.ts";
import { untilWaiting } from "../../support/until_waiting.ts";
import { newProof } from "../../support/worker_proofs.ts";
import { startEcho, startPeer } from "./peers.ts";

const STREAM = "0".repeat(32);
const SESSION = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

/** Opens a tunnel of the worker "w" with a fake clock. */
function openTunnel(
  server: TunnelServer,
  findAddress: (id: string) => BrowserAddress | undefined = () => undefined,
) {
  const clock = createFakeClock();
  const proof = newProof();
  const tunnel = createTunnelOpener(server)({
    workerId: "w",
    proof,
    clock,
    findAddress,
  });
  return { clock, proof, tunnel };
}

/** Starts a server that accepts control connections, and rejects streams with 404. */
async function startServer() {
  const controls: WebSocket[] = [];
  const requests: { readonly url: string; readonly headers: unknown }[] = [];
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer();
  server.on("upgrade", (request, socket, head) => {
    const { url = "", headers } = request;
    requests.push({ url, headers });
    if (!url.endsWith("/tunnel")) {
      socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (control) => {
      controls.push(control);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address);
  return {
    port: address.port,
    apiUrl: `http://127.0.0.1:${address.port}`,
    requests,
    /** Resolves with the control connection of this number. */
    control: (number = 1) =>
      eventually(
        `control connection ${number} is open`,
        () => Promise.resolve(controls[number - 1]),
      ),
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const each of controls) each.terminate();
      await closed;
    },
  };
}

/** Sends a request for a stream over a control connection, and returns the next message. */
async function requestStream(control: WebSocket): Promise<unknown> {
  const message = once(control, "message");
  control.send(
    JSON.stringify({ type: "open", stream_id: STREAM, session_id: SESSION }),
  );
  const [data] = await message;
  return JSON.parse(String(data));
}

/** Returns the number of handshakes with a server that rejects them: at first and after each of `pausesMs`. */
async function countAttempts(
  status: number,
  pausesMs: readonly number[],
): Promise<readonly number[]> {
  await using server = await startPeer((socket) =>
    void socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)
  );
  const { clock, tunnel } = openTunnel({
    apiUrl: `http://127.0.0.1:${server.port}`,
  });
  await using _tunnel = tunnel;
  const counts: number[] = [];
  for (const ms of [0, ...pausesMs]) {
    clock.advance(ms);
    for (let before = -1; before !== server.heads.length;) {
      before = server.heads.length;
      await untilWaiting();
    }
    counts.push(server.heads.length);
  }
  return counts;
}

Deno.test("a tunnel that the server cannot accept now is retried immediately, then after pauses of up to 5 s", async () => {
  const tries = await countAttempts(503, [0, 250, 5_000, 5_000]);
  assert.deepEqual(tries, [1, 2, 3, 4, 5]);
});

Deno.test("a tunnel that the server rejects is retried after a minute", async () => {
  assert.deepEqual(await countAttempts(404, [59_000, 1_000]), [1, 1, 2]);
});

Deno.test("a tunnel sends the key and the worker's proof, and closes with its disposal", async () => {
  await using server = await startServer();
  const { tunnel, proof } = openTunnel({
    apiUrl: `${server.apiUrl}/`,
    apiKey: "a-key",
  });
  const control = await server.control();
  assert.equal(server.requests[0]?.url, "/v1/workerpool/workers/w/tunnel");
  assert.partialDeepStrictEqual(server.requests[0]?.headers, {
    "x-api-key": "a-key",
    "x-browsergrid-secret": proof.secret,
    "x-browsergrid-instance": proof.instanceId,
  });
  const closed = once(control, "close");
  await tunnel[Symbol.asyncDispose]();
  await closed;
});

Deno.test("a tunnel is opened again immediately after its first end, and on reconnect()", async () => {
  await using server = await startServer();
  await using log = await logRecords();
  const { tunnel, clock } = openTunnel(server);
  await using _tunnel = tunnel;
  (await server.control(1)).close();
  await eventually(
    "the end is logged",
    () => Promise.resolve(log.records.some(({ level }) => level === "warning")),
  );
  clock.advance(0);
  const second = await server.control(2);
  const closed = once(second, "close");
  tunnel.reconnect();
  await closed;
  await server.control(3);
});

Deno.test("a request for a session that the worker does not hold is refused", async () => {
  await using server = await startServer();
  const { tunnel } = openTunnel(server);
  await using _tunnel = tunnel;
  assert.deepEqual(await requestStream(await server.control()), {
    type: "refused",
    stream_id: STREAM,
    reason: "it holds no browser of that session",
  });
});

Deno.test("a stream that cannot be opened is refused with the reason", async () => {
  await using server = await startServer();
  await using browser = await startEcho();
  const { tunnel } = openTunnel(server, () => ({
    endpoint: new URL(`ws://127.0.0.1:${browser.port}/x`),
  }));
  await using _tunnel = tunnel;
  assert.deepEqual(await requestStream(await server.control()), {
    type: "refused",
    stream_id: STREAM,
    reason: "the server responds with HTTP/1.1 404 Not Found",
  });
  assert.equal(
    server.requests[1]?.url,
    `/v1/workerpool/workers/w/tunnel/${STREAM}`,
  );
});

Deno.test("a repeated request opens one stream, and messages of unknown types are ignored", async () => {
  await using server = await startServer();
  let lookups = 0;
  const { tunnel } = openTunnel(server, () => {
    lookups++;
    return { endpoint: new URL("ws://127.0.0.1:1/x") };
  });
  const control = await server.control();
  control.send("not JSON");
  control.send(JSON.stringify({ type: "news", stream_id: STREAM }));
  const request = JSON.stringify({
    type: "open",
    stream_id: STREAM,
    session_id: SESSION,
  });
  control.send(request);
  control.send(request);
  await once(control, "message");
  assert.equal(lookups, 1);
  await tunnel[Symbol.asyncDispose]();
});

Deno.test("a tunnel goes through an HTTP proxy", async () => {
  await using server = await startServer();
  await using proxy = await startPeer((socket) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    const upstream = connect(server.port, "127.0.0.1");
    upstream.on("error", () => socket.destroy());
    socket.on("close", () => upstream.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  const { tunnel } = openTunnel({
    ...server,
    proxy: new URL(`http://127.0.0.1:${proxy.port}`),
  });
  await server.control();
  assert.match(proxy.heads[0] ?? "", /^CONNECT 127\.0\.0\.1:\d+ HTTP/);
  await tunnel[Symbol.asyncDispose]();
});
