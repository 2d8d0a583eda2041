import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ServerOptions,
  startServer,
} from "../../../src/http/server/server.ts";
import { type RawHttp, rawHttp } from "../../support/raw_http.ts";

const LIMITS = { headMs: 200, requestMs: 400, idleMs: 300, checkMs: 50 };

function start(options: Partial<ServerOptions> = {}) {
  return startServer({
    host: "127.0.0.1",
    port: 0,
    fetch: async (request) => new Response(await request.text() || "hello"),
    upgraders: [],
    graceMs: 100,
    limits: LIMITS,
    ...options,
  });
}

function open({ port }: { readonly port: number }, first = "") {
  return rawHttp(`http://127.0.0.1:${port}`, first);
}

/** Writes `piece` repeatedly until the connection is closed. */
async function drip({ socket, closed }: RawHttp, piece: string) {
  const timer = setInterval(() => socket.write(piece), 20);
  try {
    return await closed;
  } finally {
    clearInterval(timer);
  }
}

const HEAD = "GET / HTTP/1.1\r\nHost: localhost\r\n";

Deno.test("a client that connects and sends nothing loses its connection", async () => {
  await using server = await start();
  using client = await open(server);
  await client.closed;
});

Deno.test("a client that sends its head byte by byte gets 408 and loses its connection", async () => {
  await using server = await start();
  for (
    const first of [
      HEAD,
      "G",
      `${HEAD}Connection: Upgrade\r\nUpgrade: websocket\r\n`,
    ]
  ) {
    using client = await open(server, first);
    const { status, code } = await drip(
      client,
      first === "G" ? "E" : "X: y\r\n",
    );
    assert.ok(status === 408 || first === "G", first);
    if (status === 408) assert.equal(code, "request_timeout");
  }
});

Deno.test("a client that sends its body byte by byte gets 408 and loses its connection", async () => {
  await using server = await start();
  const bodies = [
    ["Content-Length: 1000000\r\n\r\n", "a"],
    ["Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"],
  ] as const;
  for (const [head, piece] of bodies) {
    using client = await open(
      server,
      `POST / HTTP/1.1\r\nHost: localhost\r\n${head}`,
    );
    const { status, code } = await drip(client, piece);
    assert.deepEqual([status, code], [408, "request_timeout"], head);
  }
});

Deno.test("a connection that stays idle after its response is closed", async () => {
  await using server = await start();
  using client = await open(server, `${HEAD}\r\n`);
  assert.equal((await client.closed).status, 200);
});

Deno.test("a response may take longer than any limit of a request: long polls and streams are not interrupted", async () => {
  const waiting = Promise.withResolvers<void>();
  await using server = await start({
    fetch: async ({ method }) => {
      if (method === "GET") await waiting.promise;
      const { readable, writable } = new TransformStream<Uint8Array>();
      const writer = writable.getWriter();
      void waiting.promise.then(() => writer.close());
      void writer.write(new TextEncoder().encode("begun"));
      return new Response(readable);
    },
  });
  using poll = await open(server, `${HEAD}\r\n`);
  using post = await open(
    server,
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
  );
  await post.until("begun");
  // Idle connections of the same age are closed first: the limits are enforced.
  using idle = await open(server);
  await idle.closed;
  using later = await open(server);
  await later.closed;
  waiting.resolve();
  await poll.until("begun");
  assert.match(await post.until("0\r\n\r\n"), /^HTTP\/1.1 200 /);
});

Deno.test("an upgraded socket is not closed, however long it is idle", async () => {
  await using server = await start({
    upgraders: [(_request, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
      socket.on("data", (chunk) => socket.write(chunk));
      const isMine = true;
      return Promise.resolve(isMine);
    }],
  });
  using client = await open(
    server,
    `${HEAD}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  await client.until("101");
  using idle = await open(server);
  await idle.closed;
  using later = await open(server);
  await later.closed;
  client.socket.write("still here");
  await client.until("still here");
});

Deno.test("the server responds while many slow clients hold connections", async () => {
  await using server = await start({
    limits: { ...LIMITS, headMs: 600, requestMs: 600 },
  });
  const slow = await Promise.all(
    Array.from({ length: 200 }, () => open(server, HEAD)),
  );
  const response = await fetch(`http://127.0.0.1:${server.port}/`);
  assert.equal(await response.text(), "hello");
  const answers = await Promise.all(slow.map(({ closed }) => closed));
  assert.ok(answers.every(({ status }) => status === 408));
});

Deno.test("garbage during a response closes the connection without a second response", async () => {
  const waiting = Promise.withResolvers<void>();
  await using server = await start({
    fetch: () => {
      const { readable, writable } = new TransformStream<Uint8Array>();
      const writer = writable.getWriter();
      void writer.write(new TextEncoder().encode("begun"));
      void waiting.promise.then(() => writer.close()).catch(() => {});
      return new Response(readable);
    },
  });
  using client = await open(server, `${HEAD}\r\n`);
  await client.until("begun");
  client.socket.write("\0garbage\r\n\r\n");
  await once(client.socket, "close");
  waiting.resolve();
  const { text } = await client.closed;
  assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1);
});
