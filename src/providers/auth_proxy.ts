import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Proxy } from "../core/browser_spec.ts";

/** Longest head of a request. */
const MAX_HEAD = 64 * 1024;

/** A forwarder on the loopback that adds the credentials of a proxy, which a browser takes from nobody but a person. */
export interface AuthProxy extends AsyncDisposable {
  /** What the browser is given as its proxy. */
  readonly url: string;
}

/**
 * Starts a forwarder before `proxy`. Each connection's first request gets `Proxy-Authorization`, and is closed after
 * one request unless it becomes a tunnel, so that no later request goes without.
 *
 * @throws {Error} For proxies other than http and https.
 */
export async function startAuthProxy(proxy: Proxy): Promise<AuthProxy> {
  const { protocol } = new URL(proxy.proxy_url);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new Error(
      `Cannot use proxy "${proxy.proxy_url}" with a user name: credentials are given to http:// and https:// proxies only`,
    );
  }
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = dialProxy(proxy);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    }
    forward(client, upstream, authorization(proxy));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

function dialProxy({ proxy_url }: Proxy): Socket {
  const { hostname: named, port, protocol } = new URL(proxy_url);
  // A URL has IPv6 addresses in brackets.
  const hostname = named.replace(/^\[(.*)\]$/, "$1");
  return protocol === "https:"
    ? connectTls({
      host: hostname,
      port: Number(port || 443),
      servername: hostname,
    })
    : connect(Number(port || 80), hostname);
}

function authorization({ proxy_username, proxy_password }: Proxy): string {
  const pair = `${proxy_username ?? ""}:${proxy_password ?? ""}`;
  return `Proxy-Authorization: Basic ${Buffer.from(pair).toString("base64")}`;
}

/** Adds `header` to the head of the client's request, then copies both ways. */
function forward(client: Socket, upstream: Socket, header: string): void {
  const chunks: Buffer[] = [];
  const end = () => {
    client.destroy();
    upstream.destroy();
  };
  for (const socket of [client, upstream]) socket.on("error", end);
  // Not destroyed: what the one has said may still be on its way to the other.
  client.on("close", () => upstream.destroySoon());
  upstream.on("close", () => client.destroySoon());
  const onData = (chunk: Buffer) => {
    chunks.push(chunk);
    const all = Buffer.concat(chunks);
    const at = all.indexOf("\r\n\r\n");
    if (at < 0 && all.length > MAX_HEAD) return end();
    if (at < 0) return;
    client.off("data", onData);
    client.pause();
    upstream.write(withHeader(all.toString("latin1", 0, at), header), "latin1");
    upstream.write(all.subarray(at + 4));
    client.pipe(upstream);
    upstream.pipe(client);
  };
  client.on("data", onData);
}

function withHeader(head: string, header: string): string {
  const [request = "", ...lines] = head.split("\r\n");
  const kept = lines.filter((line) =>
    !/^proxy-(authorization|connection):/i.test(line)
  );
  if (request.startsWith("CONNECT ")) {
    return [request, ...kept, header, "", ""].join("\r\n");
  }
  const others = kept.filter((line) => !/^connection:/i.test(line));
  return [request, ...others, "Connection: close", header, "", ""].join("\r\n");
}
