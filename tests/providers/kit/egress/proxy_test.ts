import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import type { Proxy } from "../../../../src/core/browser_spec.ts";
import { EgressFilter } from "../../../../src/providers/kit/egress/filter.ts";
import {
  type EgressProxy,
  type EgressProxyOptions,
  startEgressProxy,
} from "../../../../src/providers/kit/egress/proxy.ts";
import { rawHttp } from "../../../support/raw_http.ts";
import { startSocksServer } from "../../../support/socks_server.ts";

/** A site that responds with the request, and echoes data after an upgrade. */
interface Site extends AsyncDisposable {
  readonly port: number;
  readonly connections: () => number;
}

async function startSite(address = "127.0.0.1"): Promise<Site> {
  let connections = 0;
  const server = createServer((request, response) => {
    response.end(`SITE-OK ${described(request)}`);
  });
  server.on("upgrade", (request, socket) => {
    socket.on("error", () => socket.destroy());
    socket.write(`HTTP/1.1 101 ${described(request)}\r\n\r\n`);
    socket.pipe(socket);
  });
  server.on("connection", () => connections++);
  server.listen(0, address);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port, // The server listens on a port.
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function described({ method, url, headers }: IncomingMessage): string {
  return `${method} ${url} ${headers.host} ${headers.connection}`;
}

/** Starts the proxy of a pool that allows `allow`; names resolve to these addresses. */
function proxyWith(
  allow: readonly string[],
  { names = {}, ...options }: EgressProxyOptions & {
    readonly names?: Readonly<Record<string, readonly string[]>>;
  } = {},
): Promise<EgressProxy> {
  return startEgressProxy({
    filter: new EgressFilter({ mode: "no_private", allow, pool: "crawlers" }),
    resolve: (name) => Promise.resolve(names[name] ?? []),
    ...options,
  });
}

/** Returns the whole response to `head`. */
async function ask(proxy: EgressProxy, head: string): Promise<string> {
  using client = await rawHttp(proxy.url, `${head}\r\n\r\n`);
  return (await client.closed).text;
}

/** Returns the site's response through a tunnel to `place`. */
async function throughTunnel(proxy: EgressProxy, place: string) {
  using client = await rawHttp(
    proxy.url,
    `CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n\r\n`,
  );
  const answer = await client.until("\r\n\r\n");
  if (!answer.startsWith("HTTP/1.1 200")) return (await client.closed).text;
  client.socket.write(
    "GET /in HTTP/1.1\r\nHost: inside\r\nConnection: close\r\n\r\n",
  );
  return (await client.closed).text;
}

const UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nHost: other";

Deno.test("startEgressProxy() reaches an allowed site by CONNECT, by an absolute URL, and WebSockets by both", async () => {
  await using site = await startSite();
  await using proxy = await proxyWith(["site.example"], {
    names: { "site.example": ["127.0.0.1"] },
  });
  const place = `site.example:${site.port}`;
  assert.match(
    await ask(proxy, `GET http://${place}/a?b HTTP/1.1\r\nHost: other`),
    new RegExp(`SITE-OK GET /a\\?b ${place} close`),
  );
  assert.match(
    await throughTunnel(proxy, place),
    /SITE-OK GET \/in inside close/,
  );
  for (const isTunnel of [true, false]) {
    using client = await rawHttp(
      proxy.url,
      isTunnel
        ? `CONNECT ${place} HTTP/1.1\r\n\r\n`
        : `GET http://${place}/ws HTTP/1.1\r\n${UPGRADE}\r\n\r\n`,
    );
    if (isTunnel) {
      await client.until("200 ");
      client.socket.write(`GET /ws HTTP/1.1\r\n${UPGRADE}\r\n\r\n`);
    }
    await client.until("HTTP/1.1 101 GET /ws");
    client.socket.write("hello-ws");
    await client.until("hello-ws");
  }
});

Deno.test("startEgressProxy() rejects loopback in each spelling, by URL and by CONNECT, and connects nowhere", async () => {
  await using site = await startSite();
  await using six = await startSite("::1");
  // The system's resolver, which accepts short forms of addresses.
  await using proxy = await startEgressProxy({
    filter: new EgressFilter({
      mode: "no_private",
      allow: [],
      pool: "crawlers",
    }),
  });
  const hosts = [
    ...["127.0.0.1", "localhost", "0.0.0.0", "127.1", "2130706433"],
    ...["0x7f.1", "[::ffff:127.0.0.1]", "LOCALHOST.", "127.0.0.1."],
  ].map((host) => `${host}:${site.port}`);
  for (const place of [...hosts, `[::1]:${six.port}`, `[::]:${six.port}`]) {
    const page = await ask(proxy, `GET http://${place}/ HTTP/1.1`);
    assert.match(page, /^HTTP\/1\.1 403 Cannot connect to /, place);
    assert.match(page, /<p>Cannot [^]*work pool "crawlers" is no_private/);
    assert.match(await throughTunnel(proxy, place), /^HTTP\/1\.1 403 /, place);
  }
  assert.equal(site.connections() + six.connections(), 0);
});

Deno.test("startEgressProxy() connects to exactly the address that it checked, and resolves a name once", async () => {
  await using site = await startSite();
  let asked = 0;
  // A name that first resolves to an allowed address and then to loopback.
  const resolve = () =>
    Promise.resolve(asked++ === 0 ? ["127.0.0.9"] : ["127.0.0.1"]);
  await using proxy = await proxyWith(["127.0.0.9"], { resolve });
  const head = `GET http://moves.example:${site.port}/ HTTP/1.1`;
  assert.match(await ask(proxy, head), /^HTTP\/1\.1 502 /);
  assert.equal(asked, 1);
  assert.match(await ask(proxy, head), /^HTTP\/1\.1 403 /);
  assert.equal(site.connections(), 0);
});

Deno.test("startEgressProxy() uses only the allowed addresses of a name", async () => {
  await using site = await startSite("127.0.0.2");
  await using proxy = await proxyWith(["127.0.0.2"], {
    names: { "both.example": ["127.0.0.1", "127.0.0.2"] },
  });
  const place = `both.example:${site.port}`;
  assert.match(await throughTunnel(proxy, place), /SITE-OK/);
  assert.equal(site.connections(), 1);
});

Deno.test("startEgressProxy() in mode none resolves no name that is not allowed", async () => {
  let asked = 0;
  await using proxy = await startEgressProxy({
    filter: new EgressFilter({ mode: "none", allow: ["a.example"], pool: "p" }),
    resolve: () => Promise.resolve(asked++ === 0 ? [] : ["127.0.0.1"]),
  });
  const answer = await throughTunnel(proxy, "secret-text.evil.example:443");
  assert.match(answer, /^HTTP\/1\.1 403 .*work pool "p" is none/);
  assert.equal(asked, 0);
});

Deno.test("startEgressProxy() goes through SOCKS proxies with their credentials, and through a filter to them", async () => {
  await using site = await startSite();
  await using socks = await startSocksServer(site.port);
  const upstream = (protocol: string): Proxy => ({
    proxy_url: `${protocol}://127.0.0.1:${socks.port}`,
  });
  const user = { proxy_username: "user", proxy_password: "p:ä" };
  const cases = [
    [{ ...upstream("socks5"), ...user }, "user:p:ä@site.example:81"],
    [upstream("socks5"), "site.example:81"],
    [upstream("socks4"), "site.example:81"],
  ] as const;
  for (const [proxyOfSession, asked] of cases) {
    await using proxy = await startEgressProxy({ upstream: proxyOfSession });
    assert.match(await throughTunnel(proxy, "site.example:81"), /SITE-OK/);
    const head = "GET http://site.example:81/x HTTP/1.1";
    assert.match(await ask(proxy, head), /SITE-OK GET \/x site.example:81/);
    assert.deepEqual(socks.asked.slice(-2), [asked, asked]);
  }
  const before = socks.asked.length;
  await using filtered = await proxyWith([], { upstream: upstream("socks5") });
  assert.match(
    await throughTunnel(filtered, "site.example:81"),
    /^HTTP\/1\.1 403 Cannot connect to 127\.0\.0\.1:/,
  );
  assert.equal(socks.asked.length, before);
});

Deno.test("startEgressProxy() checks the addresses of requests to a proxy of the private network", async () => {
  await using site = await startSite();
  await using socks = await startSocksServer(site.port);
  const proxy_url = `socks5://127.0.0.1:${socks.port}`;
  await using proxy = await proxyWith([`127.0.0.1:${socks.port}`], {
    upstream: { proxy_url },
    names: { "inside.example": ["10.0.0.1"], "site.example": ["192.88.98.1"] },
  });
  for (const place of ["inside.example:80", "127.0.0.1:80", "10.0.0.1:80"]) {
    assert.match(await throughTunnel(proxy, place), /^HTTP\/1\.1 403 /, place);
  }
  assert.deepEqual(socks.asked, []);
  assert.match(await throughTunnel(proxy, "site.example:80"), /SITE-OK/);
  assert.deepEqual(socks.asked, ["192.88.98.1:80"]);
});

Deno.test("startEgressProxy() responds 400 to an invalid proxy request, and 502 to a name without an address", async () => {
  await using proxy = await proxyWith([]);
  const heads = [
    ...["GET / HTTP/1.1", "GET https://a.example/ HTTP/1.1", "nonsense"],
    ...["CONNECT a.example/x HTTP/1.1", "CONNECT u@a.example:1 HTTP/1.1"],
    ...["GET http://u:p@a.example/ HTTP/1.1", "get http://a.example/ HTTP/1.1"],
    ...["GET http://a.example/ HTTP/2", "GET http://a.example/ HTTP/1.1\nX: y"],
    ...["CONNECT a.example:99999 HTTP/1.1", "GET ftp://a.example/ HTTP/1.1"],
  ];
  for (const head of heads) {
    assert.match(await ask(proxy, head), /^HTTP\/1\.1 400 /, head);
  }
  const long = "b".repeat(250);
  const page = await ask(proxy, `GET http://${long}.example/ HTTP/1.1`);
  assert.match(page, /^HTTP\/1\.1 502 /);
});

Deno.test("startEgressProxy() listens on a unix socket, and its disposal ends every connection and removes it", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "egress.sock");
  for (let again = 0; again < 2; again++) {
    await using site = await startSite();
    const proxy = await proxyWith([`127.0.0.1:${site.port}`], { path });
    const client = connect(path);
    await once(client, "connect");
    client.write(`CONNECT 127.0.0.1:${site.port} HTTP/1.1\r\n\r\n`);
    const [answer] = await once(client, "data");
    assert.match(String(answer), /^HTTP\/1\.1 200 /);
    const closed = once(client.resume(), "close");
    await proxy[Symbol.asyncDispose]();
    await closed;
    await assert.rejects(Deno.lstat(path), Deno.errors.NotFound);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("startEgressProxy() responds 503 beyond its connection limit, and accepts again when a connection has ended", async () => {
  await using proxy = await proxyWith([], { maxConnections: 2 });
  using first = await rawHttp(proxy.url);
  using second = await rawHttp(proxy.url);
  const head = "GET http://a.example/ HTTP/1.1";
  assert.match(await ask(proxy, head), /^HTTP\/1\.1 503 /);
  first.socket.end("x");
  await first.closed;
  assert.match(await ask(proxy, head), /^HTTP\/1\.1 502 /);
  second.socket.destroy();
});
