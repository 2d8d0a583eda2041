import { Buffer } from "node:buffer";
import { systemClock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { closeConn, joinConns, writeAll } from "../../async/join_conns.ts";
import { toSocketHost } from "../../core/network.ts";
import type { RunningBrowser } from "../../core/provider.ts";
import { renderConnectRequest } from "./proxy_connect.ts";

/** Timeout of the connection to the browser and of the server's acceptance. The server waits no longer. */
const OPEN_MS = 25_000;

/** Maximum length of a response's head, in bytes. */
const MAX_HEAD_BYTES = 16 * 1_024;

/** The address of a browser: its endpoint, or a unix socket. */
export type BrowserAddress = Pick<RunningBrowser, "endpoint" | "socketPath">;

/** The server's end of a stream. */
export interface TunnelStreamOptions {
  readonly url: URL;
  /** HTTP proxy for the connection. */
  readonly proxy?: URL | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the stream. */
  readonly signal: AbortSignal;
}

/**
 * Joins a browser with the server, with one connection to each. Resolves when both are closed.
 *
 * The request to the server has the form of a WebSocket handshake, which proxies pass through; after the response 101
 * the connection carries the browser's bytes unchanged.
 *
 * @throws {Error} If one of the two cannot be reached or the server rejects the stream.
 */
export async function serveStream(
  address: BrowserAddress,
  options: TunnelStreamOptions,
): Promise<void> {
  const { browser, server, rest } = await openConns(address, options);
  const { signal } = options;
  await joinConns(server, browser, { early: rest, signal });
}

/** Two open connections and the bytes that followed the server's response. */
interface OpenConns {
  readonly browser: Deno.Conn;
  readonly server: Deno.Conn;
  readonly rest: Uint8Array;
}

async function openConns(
  address: BrowserAddress,
  { url, proxy, headers, signal }: TunnelStreamOptions,
): Promise<OpenConns> {
  using timeout = deadline(systemClock, OPEN_MS, signal);
  using opened = new DisposableStack();
  const onAbort = () => opened.dispose();
  timeout.signal.addEventListener("abort", onAbort);
  try {
    const browser = adoptConn(
      opened,
      await connectBrowser(address, timeout.signal),
    );
    const tcp = adoptConn(
      opened,
      await connectTcp(proxy ?? url, timeout.signal),
    );
    if (proxy) {
      await exchangeHead(tcp, renderConnectRequest(proxy, url), "the proxy");
    }
    const server = url.protocol === "https:"
      ? adoptConn(opened, await startTls(tcp, url))
      : tcp;
    const request = renderUpgradeRequest(url, headers);
    const rest = await exchangeHead(server, request, "the server");
    timeout.signal.throwIfAborted();
    opened.move();
    return { browser, server, rest };
  } catch (error) {
    timeout.signal.throwIfAborted();
    throw error;
  } finally {
    timeout.signal.removeEventListener("abort", onAbort);
  }
}

/** Lets `stack` close the connection: immediately, if it was disposed during the connection attempt. */
function adoptConn<C extends Deno.Conn>(stack: DisposableStack, conn: C): C {
  if (stack.disposed) closeConn(conn);
  return stack.adopt(conn, closeConn);
}

/** Connects to a browser by its endpoint or unix socket. */
async function connectBrowser(
  { endpoint, socketPath: path }: BrowserAddress,
  signal: AbortSignal,
): Promise<Deno.Conn> {
  return path === undefined
    ? await connectTcp(endpoint, signal)
    : await Deno.connect({ transport: "unix", path });
}

/** Connects to the host of a URL, without TLS. */
export async function connectTcp(
  url: URL,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const isSecure = url.protocol === "https:" || url.protocol === "wss:";
  const conn = await Deno.connect({
    hostname: toSocketHost(url),
    port: Number(url.port || (isSecure ? 443 : 80)),
    signal,
  });
  conn.setNoDelay();
  conn.setKeepAlive();
  return conn;
}

/** Starts TLS with HTTP/1.1, because HTTP/2 has no upgrade. */
export function startTls(tcp: Deno.TcpConn, url: URL): Promise<Deno.TlsConn> {
  return Deno.startTls(tcp, {
    hostname: toSocketHost(url),
    alpnProtocols: ["http/1.1"],
  });
}

/** Returns the request of a WebSocket handshake. */
export function renderUpgradeRequest(
  url: URL,
  headers: Readonly<Record<string, string>> = {},
): string {
  const key = crypto.getRandomValues(new Uint8Array(16)).toBase64();
  const lines = Object.entries({
    Host: url.host,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": key,
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${url.pathname} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/**
 * Sends a request and reads the head of the response. Resolves with the bytes after the head.
 *
 * @throws {Error} If the response is not 101 from the server or browser, or 200 from the proxy.
 */
export async function exchangeHead(
  conn: Deno.Conn,
  request: string,
  peer: "the server" | "the browser" | "the proxy",
): Promise<Uint8Array> {
  await writeAll(conn, new TextEncoder().encode(request));
  let received = Buffer.alloc(0);
  const buffer = new Uint8Array(MAX_HEAD_BYTES);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`${peer} closed the stream`);
    received = Buffer.concat([received, buffer.subarray(0, count)]);
    const end = received.indexOf("\r\n\r\n");
    if (end >= 0) {
      const [status = ""] = received.toString("latin1", 0, end).split("\r\n");
      const isAccepted = peer === "the proxy"
        ? /^HTTP\/1\.[01] 200\b/.test(status)
        : /^HTTP\/1\.1 101 /.test(status);
      if (isAccepted) return received.subarray(end + 4);
      throw new Error(`${peer} responds with ${status}`);
    }
    if (received.length > MAX_HEAD_BYTES) {
      throw new Error(
        `${peer} responds with a head of more than ${MAX_HEAD_BYTES} bytes`,
      );
    }
  }
}
