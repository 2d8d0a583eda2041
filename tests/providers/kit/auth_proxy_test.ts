import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import {
  type AddressInfo,
  connect,
  createServer as listenTcp,
  type Server,
  type Socket,
} from "node:net";
import type { Proxy } from "../../../src/core/browser_spec.ts";
import { startAuthProxy } from "../../../src/providers/kit/auth_proxy.ts";

const CREDENTIALS = `Basic ${new TextEncoder().encode("user:p:ä").toBase64()}`;

/** Bytes of a response that exceeds the buffers of the sockets. */
const LARGE = 8 * 2 ** 20;

/** A request that an upstream proxy received. */
interface ReceivedRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** A proxy that responds to every request with its body, and echoes the data of tunnels. */
interface Upstream extends AsyncDisposable {
  readonly proxy: Proxy;
  readonly received: readonly ReceivedRequest[];
}

async function startUpstream(address = "127.0.0.1"): Promise<Upstream> {
  const received: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    received.push(request);
    if (request.url?.endsWith("/large")) return response.end("x".repeat(LARGE));
    request.pipe(response);
  });
  server.on("connect", (request, socket) => {
    received.push(request);
    socket.on("error", () => socket.destroy());
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    socket.pipe(socket);
  });
  await listen(server, address);
  const host = address.includes(":") ? `[${address}]` : address;
  return {
    proxy: proxyAt(`http://${host}:${readPort(server)}`),
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await close(server);
    },
  };
}

function proxyAt(proxy_url: string): Proxy {
  return { proxy_url, proxy_username: "user", proxy_password: "p:ä" };
}

async function listen(server: Server, address: string): Promise<void> {
  server.listen(0, address);
  await once(server, "listening");
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  await closed;
}

function readPort(server: Server): number {
  // AddressInfo because it listens on a port, not on a socket file.
  return (server.address() as AddressInfo).port;
}

async function dial(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  return socket;
}

/** Reads until the other side closes. */
async function readAll(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += chunk;
  return text;
}

/** Reads until `end` was received. */
async function readUntil(socket: Socket, end: string): Promise<string> {
  let text = "";
  while (!text.includes(end)) text += (await once(socket, "data")).join("");
  return text;
}

Deno.test("startAuthProxy() replaces the credentials of a plain request", async () => {
  await using upstream = await startUpstream();
  await using forwarder = await startAuthProxy(upstream.proxy);
  const client = await dial(forwarder.url);
  client.write(
    "POST http://site.example/page HTTP/1.1\r\nHost: site.example\r\n" +
      "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic other\r\n" +
      "Content-Length: 5\r\n\r\nhello",
  );
  const answer = await readAll(client);
  assert.match(answer, /^HTTP\/1\.1 200 [^]*hello/);
  assert.equal(upstream.received.length, 1);
  const { method, url, headers } = upstream.received[0] ?? assert.fail();
  assert.equal(method, "POST");
  assert.equal(url, "http://site.example/page");
  assert.equal(headers["proxy-authorization"], CREDENTIALS);
  assert.equal(headers["proxy-connection"], undefined);
  assert.equal(headers.connection, "close");
});

Deno.test("startAuthProxy() adds the credentials to CONNECT and then copies both ways", async () => {
  await using upstream = await startUpstream();
  await using forwarder = await startAuthProxy(upstream.proxy);
  const client = await dial(forwarder.url);
  client.write(
    "CONNECT site.example:443 HTTP/1.1\r\nHost: site.example:443\r\n\r\n",
  );
  assert.match(await readUntil(client, "\r\n\r\n"), /^HTTP\/1\.1 200 /);
  client.write("Proxy-Authorization: not a head");
  assert.equal(
    await readUntil(client, "head"),
    "Proxy-Authorization: not a head",
  );
  const [received] = upstream.received;
  assert.equal(received?.url, "site.example:443");
  assert.equal(received?.headers["proxy-authorization"], CREDENTIALS);
  const closed = once(client, "close");
  client.end();
  await closed;
});

Deno.test("startAuthProxy() accepts a head that arrives in pieces", async () => {
  await using upstream = await startUpstream();
  await using forwarder = await startAuthProxy(upstream.proxy);
  const client = await dial(forwarder.url);
  client.setNoDelay();
  const request =
    "GET http://site.example/ HTTP/1.1\r\nHost: site.example\r\n\r\n";
  for (const piece of request.match(/[^]{1,9}/g) ?? []) {
    await new Promise((done) => client.write(piece, done));
  }
  assert.match(await readAll(client), /^HTTP\/1\.1 200 /);
  assert.equal(
    upstream.received[0]?.headers["proxy-authorization"],
    CREDENTIALS,
  );
});

Deno.test("startAuthProxy() passes a large response completely to a slow reader", async () => {
  await using upstream = await startUpstream();
  await using forwarder = await startAuthProxy(upstream.proxy);
  const client = await dial(forwarder.url);
  client.write(
    "GET http://site.example/large HTTP/1.1\r\nHost: site.example\r\n\r\n",
  );
  let length = 0;
  for await (const chunk of client) {
    length += chunk.length;
    await new Promise((done) => setTimeout(done));
  }
  assert.ok(length > LARGE, `${length} bytes`);
});

Deno.test("startAuthProxy() reaches a proxy by its IPv6 address", async () => {
  await using upstream = await startUpstream("::1");
  await using forwarder = await startAuthProxy(upstream.proxy);
  const client = await dial(forwarder.url);
  client.write(
    "GET http://site.example/ HTTP/1.1\r\nHost: site.example\r\n\r\n",
  );
  assert.match(await readAll(client), /^HTTP\/1\.1 200 /);
});

Deno.test("startAuthProxy() responds 502 when its proxy refuses the connection", async () => {
  const server = listenTcp();
  await listen(server, "127.0.0.1");
  const proxy = proxyAt(`http://127.0.0.1:${readPort(server)}`);
  await close(server);
  await using forwarder = await startAuthProxy(proxy);
  const client = await dial(forwarder.url);
  client.write("CONNECT site.example:443 HTTP/1.1\r\n\r\n");
  assert.match(await readAll(client), /^HTTP\/1\.1 502 Cannot connect to /);
});

Deno.test("startAuthProxy() responds 431 to a head without an end", async () => {
  await using upstream = await startUpstream();
  await using forwarder = await startAuthProxy(upstream.proxy);
  const client = await dial(forwarder.url);
  client.write("GET / HTTP/1.1\r\nX: ".padEnd(70_000, "x"));
  assert.match(await readAll(client), /^HTTP\/1\.1 431 /);
  assert.deepEqual(upstream.received, []);
});

Deno.test("startAuthProxy() closes every socket and its port on disposal", async () => {
  await using upstream = await startUpstream();
  const forwarder = await startAuthProxy(upstream.proxy);
  const tunnel = await dial(forwarder.url);
  tunnel.write(
    "CONNECT site.example:443 HTTP/1.1\r\nHost: site.example:443\r\n\r\n",
  );
  await readUntil(tunnel, "\r\n\r\n");
  const silent = await dial(forwarder.url);
  const closed = [tunnel, silent].map((socket) => {
    socket.on("error", () => {});
    return new Promise((done) => socket.once("close", done));
  });
  for (const socket of [tunnel, silent]) socket.resume();
  await forwarder[Symbol.asyncDispose]();
  await Promise.all(closed);
  await assert.rejects(dial(forwarder.url), { code: "ECONNREFUSED" });
});
