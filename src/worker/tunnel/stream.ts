import { Buffer } from "node:buffer";
import { systemClock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { toSocketHost } from "../../core/network.ts";
import type { RunningBrowser } from "../../core/provider.ts";
import { closeConn, joinConns, writeAll } from "../../async/join_conns.ts";
import { renderConnectRequest } from "./proxy_connect.ts";

/** Timeout of the connection to the browser and of the server's acceptance; the server waits no longer. */
const OPEN_MS = 25_000;

/** Longest head of an answer that is read. */
const MAX_HEAD_BYTES = 16 * 1_024;

/** The address of a browser: its endpoint, or a unix socket. */
export type BrowserAddress = Pick<RunningBrowser, "endpoint" | "socketPath">;

/** Where a stream leads to. */
export interface StreamOptions {
  readonly url: URL;
  /** HTTP proxy for the connection. */
  readonly proxy?: URL | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the stream. */
  readonly signal: AbortSignal;
}

/**
 * Joins a browser with the server by one connection to each; resolves when both are closed.
 *
 * The server is asked as for a WebSocket, for the sake of proxies on the way; after its 101 the browser's bytes go as
 * they are.
 *
 * @throws {Error} When one of the two cannot be reached, or the server answers something else.
 */
export async function serveStream(
  address: BrowserAddress,
  { url, proxy, headers, signal }: StreamOptions,
): Promise<void> {
  const { browser, server, rest } = await open(address, {
    url,
    proxy,
    headers,
    signal,
  });
  await joinConns(server, browser, { early: rest, signal });
}

async function open(
  address: BrowserAddress,
  { url, proxy, headers, signal }: StreamOptions,
) {
  using patience = deadline(systemClock, OPEN_MS, signal);
  using opened = new DisposableStack();
  const closing = () => opened.dispose();
  patience.signal.addEventListener("abort", closing);
  try {
    const browser = adoptConn(
      opened,
      await connectBrowser(address, patience.signal),
    );
    const tcp = adoptConn(opened, await connect(proxy ?? url, patience.signal));
    if (proxy) {
      await exchangeHead(tcp, renderConnectRequest(proxy, url), "the proxy");
    }
    const server = url.protocol === "https:"
      ? adoptConn(opened, await startTls(tcp, url))
      : tcp;
    const request = renderUpgradeRequest(url, headers);
    const rest = await exchangeHead(server, request, "the server");
    patience.signal.throwIfAborted();
    opened.move();
    return { browser, server, rest };
  } catch (error) {
    patience.signal.throwIfAborted();
    throw error;
  } finally {
    patience.signal.removeEventListener("abort", closing);
  }
}

/** The connection, which `stack` closes; at once, if it was disposed while the connection came about. */
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
    ? await connect(endpoint, signal)
    : await Deno.connect({ transport: "unix", path });
}

async function connect(url: URL, signal: AbortSignal): Promise<Deno.TcpConn> {
  const secure = url.protocol === "https:" || url.protocol === "wss:";
  const conn = await Deno.connect({
    hostname: toSocketHost(url),
    port: Number(url.port || (secure ? 443 : 80)),
    signal,
  });
  conn.setNoDelay();
  conn.setKeepAlive();
  return conn;
}

/** The connection with TLS over it, which HTTP/1.1 is spoken on: in HTTP/2 nothing is upgraded. */
function startTls(tcp: Deno.TcpConn, url: URL): Promise<Deno.TlsConn> {
  return Deno.startTls(tcp, {
    hostname: toSocketHost(url),
    alpnProtocols: ["http/1.1"],
  });
}

function renderUpgradeRequest(
  url: URL,
  headers: Readonly<Record<string, string>>,
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
 * Sends a request and reads the head of the response: 101, or 200 of a proxy. Resolves with the bytes after the head.
 */
async function exchangeHead(
  conn: Deno.Conn,
  request: string,
  who: "the server" | "the proxy",
): Promise<Uint8Array> {
  await writeAll(conn, new TextEncoder().encode(request));
  let answer = Buffer.alloc(0);
  const buffer = new Uint8Array(MAX_HEAD_BYTES);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`${who} has closed the stream`);
    answer = Buffer.concat([answer, buffer.subarray(0, count)]);
    const end = answer.indexOf("\r\n\r\n");
    if (end >= 0) {
      const [status = ""] = answer.toString("latin1", 0, end).split("\r\n");
      const isTaken = who === "the proxy"
        ? /^HTTP\/1\.[01] 200\b/.test(status)
        : /^HTTP\/1\.1 101 /.test(status);
      if (isTaken) return answer.subarray(end + 4);
      throw new Error(`${who} answers ${status}`);
    }
    if (answer.length > MAX_HEAD_BYTES) {
      throw new Error("the answer has no end");
    }
  }
}
