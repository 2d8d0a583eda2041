import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { serveStream } from "../../../src/worker/tunnel/stream.ts";
import { type Peer, read, startEcho, startPeer } from "./peers.ts";

const NEVER = new AbortController().signal;
const PATH = "/v1/workerpool/workers/w/tunnel/s";
const ACCEPTED =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

function toAddress({ port }: Pick<Peer, "port">) {
  return { endpoint: new URL(`ws://127.0.0.1:${port}/devtools/browser/x`) };
}

function toUrl({ port }: Pick<Peer, "port">): URL {
  return new URL(`http://127.0.0.1:${port}${PATH}`);
}

/** A server that accepts the stream, and the socket of its end. */
async function acceptingServer(early = "") {
  const accepted = Promise.withResolvers<Socket>();
  const peer = await startPeer((socket) => {
    socket.write(ACCEPTED + early);
    accepted.resolve(socket);
  });
  return { peer, accepted: accepted.promise };
}

Deno.test("serveStream() requests an upgrade with its headers, then joins the server with the browser", async () => {
  await using browser = await startEcho();
  const { peer, accepted } = await acceptingServer();
  await using server = peer;
  const serving = serveStream(toAddress(browser), {
    url: toUrl(server),
    headers: { "x-api-key": "a-key" },
    signal: NEVER,
  });
  const socket = await accepted;
  socket.write("GET /json HTTP/1.1\r\n\r\n");
  assert.equal(await read(socket), "GET /json HTTP/1.1\r\n\r\n");
  const [head = ""] = server.heads;
  assert.match(head, new RegExp(`^GET ${PATH} HTTP/1\\.1\r\n`));
  assert.match(head, /\r\nHost: 127\.0\.0\.1:\d+\r\n/);
  assert.match(head, /\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
  assert.match(head, /\r\nSec-WebSocket-Key: [\w+/]{22}==\r\n/);
  assert.match(head, /\r\nx-api-key: a-key\r\n/);
  socket.end();
  await serving;
});

Deno.test("serveStream() passes on bytes that arrive together with the server's response", async () => {
  await using browser = await startEcho();
  const { peer, accepted } = await acceptingServer("early");
  await using server = peer;
  const serving = serveStream(toAddress(browser), {
    url: toUrl(server),
    headers: {},
    signal: NEVER,
  });
  const socket = await accepted;
  assert.equal(await read(socket), "early");
  socket.end();
  await serving;
});

Deno.test("serveStream() reaches a browser by its unix socket", async () => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  const socketPath = `${folder}/cdp`;
  const browser = createServer((socket) => socket.pipe(socket));
  browser.listen(socketPath);
  await once(browser, "listening");
  const { peer, accepted } = await acceptingServer("hello");
  await using server = peer;
  const serving = serveStream(
    { endpoint: new URL("ws://127.0.0.1:1/x"), socketPath },
    { url: toUrl(server), headers: {}, signal: NEVER },
  );
  const socket = await accepted;
  assert.equal(await read(socket), "hello");
  socket.end();
  await serving;
  const closed = once(browser, "close");
  browser.close();
  await closed;
  await Deno.remove(folder, { recursive: true });
});

Deno.test("serveStream() resolves when the browser closes its connection, and closes the server's", async () => {
  await using browser = await startEcho();
  const { peer, accepted } = await acceptingServer("hello");
  await using server = peer;
  const serving = serveStream(toAddress(browser), {
    url: toUrl(server),
    headers: {},
    signal: NEVER,
  });
  const socket = await accepted;
  await read(socket);
  const ended = once(socket, "end");
  browser.sockets[0]?.destroy();
  await ended;
  socket.end();
  await serving;
});

Deno.test("serveStream() goes through an HTTP proxy", async () => {
  await using browser = await startEcho();
  const { peer, accepted } = await acceptingServer("hello");
  await using server = peer;
  await using proxy = await startPeer((socket) => {
    socket.write("HTTP/1.0 200 OK\r\n\r\n");
    const upstream = connect(server.port, "127.0.0.1");
    socket.pipe(upstream).pipe(socket);
  });
  const serving = serveStream(toAddress(browser), {
    url: toUrl(server),
    proxy: new URL(`http://127.0.0.1:${proxy.port}`),
    headers: {},
    signal: NEVER,
  });
  const socket = await accepted;
  assert.equal(await read(socket), "hello");
  assert.match(proxy.heads[0] ?? "", /^CONNECT 127\.0\.0\.1:\d+ HTTP\/1\.1/);
  socket.end();
  await serving;
});

for (
  const [what, response, expected] of [
    [
      "a rejection",
      "HTTP/1.1 404 Not Found\r\n\r\n",
      /the server responds with HTTP\/1\.1 404 Not Found/,
    ],
    ["no response", undefined, /the server closed the stream/],
    [
      "a head that never ends",
      `HTTP/1.1 101 Yes\r\nx: ${"y".repeat(20_000)}`,
      /a head of more than 16384 bytes/,
    ],
  ] as const
) {
  Deno.test(`serveStream() rejects after ${what} of the server, and closes both connections`, async () => {
    await using browser = await startEcho();
    await using server = await startPeer((socket) => {
      if (response === undefined) socket.end();
      else socket.write(response);
    });
    await assert.rejects(
      serveStream(toAddress(browser), {
        url: toUrl(server),
        headers: {},
        signal: NEVER,
      }),
      expected,
    );
    const [socket] = browser.sockets;
    if (socket && !socket.closed) await once(socket, "close");
  });
}

Deno.test("serveStream() rejects after a rejection of the proxy", async () => {
  await using browser = await startEcho();
  await using proxy = await startPeer((socket) =>
    void socket.end("HTTP/1.1 407 Authenticate\r\n\r\n")
  );
  await assert.rejects(
    serveStream(toAddress(browser), {
      url: new URL(`http://grid.example${PATH}`),
      proxy: new URL(`http://127.0.0.1:${proxy.port}`),
      headers: {},
      signal: NEVER,
    }),
    /the proxy responds with HTTP\/1\.1 407 Authenticate/,
  );
});

Deno.test("serveStream() rejects if the browser does not listen, and does not ask the server then", async () => {
  const free = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = free.addr;
  free.close();
  const { peer } = await acceptingServer();
  await using server = peer;
  await assert.rejects(
    serveStream(toAddress({ port }), {
      url: toUrl(server),
      headers: {},
      signal: NEVER,
    }),
    /refused/i,
  );
  assert.equal(server.sockets.length, 0);
});

Deno.test("serveStream() ends with its signal: it rejects before the server's response, and resolves after it", async () => {
  await using browser = await startEcho();
  const early = new AbortController();
  await using silent = await startPeer(() => early.abort(new Error("enough")));
  await assert.rejects(
    serveStream(toAddress(browser), {
      url: toUrl(silent),
      headers: {},
      signal: early.signal,
    }),
    /enough/,
  );
  const late = new AbortController();
  const { peer, accepted } = await acceptingServer("hello");
  await using server = peer;
  const serving = serveStream(toAddress(browser), {
    url: toUrl(server),
    headers: {},
    signal: late.signal,
  });
  await read(await accepted);
  late.abort();
  await serving;
});
