import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  type ServerOptions,
  startServer,
} from "../../../src/http/server/server.ts";

function start(options: Partial<ServerOptions> = {}) {
  return startServer({
    host: "127.0.0.1",
    port: 0,
    fetch: () => new Response("hello"),
    upgraders: [],
    graceMs: 100,
    ...options,
  });
}

async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

const UPGRADE = "GET /x HTTP/1.1\r\nHost: localhost\r\n" +
  "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

Deno.test("startServer() serves requests on a free port", async () => {
  await using server = await start();
  const response = await fetch(`http://127.0.0.1:${server.port}/`);
  assert.equal(await response.text(), "hello");
});

Deno.test("startServer() rejects with the system's error if the port is taken", async () => {
  await using server = await start();
  await assert.rejects(start({ port: server.port }), { code: "EADDRINUSE" });
});

Deno.test("startServer() passes an upgrade to the first app that takes it, as a raw socket", async () => {
  const asked: string[] = [];
  await using server = await start({
    upgraders: [
      (request) => {
        asked.push("first");
        return Promise.resolve(request.url === "/other");
      },
      (request, socket) => {
        asked.push(`second ${request.url}`);
        socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\nraw");
        return Promise.resolve(request.url === "/x");
      },
    ],
  });
  const socket = await openSocket(server.port);
  socket.write(UPGRADE);
  const [chunk] = await once(socket, "data");
  assert.match(String(chunk), /^HTTP\/1.1 101 .*raw$/s);
  assert.deepEqual(asked, ["first", "second /x"]);
  socket.destroy();
  await once(socket, "close");
});

Deno.test("startServer() responds with 404 to an upgrade that no app takes", async () => {
  await using server = await start();
  const socket = await openSocket(server.port);
  socket.write(UPGRADE);
  const [chunk] = await once(socket, "data");
  assert.match(String(chunk), /^HTTP\/1.1 404 /);
  socket.destroy();
  await once(socket, "close");
});

Deno.test("startServer() closes sockets that stay open when it is disposed", async () => {
  const server = await start();
  const socket = await openSocket(server.port);
  const closed = once(socket, "close");
  await server[Symbol.asyncDispose]();
  await closed;
});

Deno.test("startServer() does not wait for a connection without requests when it is disposed", async () => {
  const server = await start({ graceMs: 60_000 });
  const socket = await openSocket(server.port);
  const closed = once(socket, "close");
  // A response means that the earlier connection was accepted too.
  await (await fetch(`http://127.0.0.1:${server.port}/`)).text();
  await server[Symbol.asyncDispose]();
  await closed;
});

Deno.test("startServer() sends keep-alive probes on idle connections", async () => {
  await using server = await start();
  const client = await openSocket(server.port);
  client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(client, "data");
  assert.equal(await readTimer(server.port), KEEP_ALIVE_TIMER);
  client.destroy();
});

/** @see {@link https://docs.kernel.org/networking/proc_net_tcp.html proc_net_tcp} */
const KEEP_ALIVE_TIMER = "02";

/** Returns the kind of the kernel's timer for the server's end of its connection; undefined if there is none. */
async function readTimer(port: number): Promise<string | undefined> {
  const local = port.toString(16).toUpperCase().padStart(4, "0");
  const table = await Deno.readTextFile("/proc/net/tcp");
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
  const row = rows.find(([, address = "", , state]) =>
    address.endsWith(`:${local}`) && state === "01"
  );
  return row?.[5]?.slice(0, 2);
}

Deno.test("startServer() serves the next request of a connection after an unread body", async () => {
  await using server = await start();
  const socket = await openSocket(server.port);
  const body = "x".repeat(5_000_000);
  const answers: string[] = [];
  socket.on("data", (chunk) => answers.push(String(chunk)));
  socket.write(
    `POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}` +
      "GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  );
  await once(socket, "close");
  assert.equal(answers.join("").match(/HTTP\/1.1 200/g)?.length, 2);
});

Deno.test("startServer() responds to an error of its router with internal, without its message", async () => {
  await using server = await start({
    fetch: () => Promise.reject(new Error("password is hunter2")),
  });
  const response = await fetch(`http://127.0.0.1:${server.port}/`);
  assert.equal(response.status, 500);
  const { code, request_id, detail } = await response.json();
  assert.equal(code, "internal");
  assert.match(request_id, /^[0-9a-f-]{36}$/);
  assert.doesNotMatch(detail, /hunter2/);
});
