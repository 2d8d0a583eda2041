/**
 * A proxy that limits a browser without its own network to the targets that its pool allows, and that adds the user
 * name and password of an upstream proxy.
 *
 * ```text
 * browser ─▶ head of a request ─▶ filter: resolve, decide by address ─▶ connect to that address ─▶ copy both ways
 *                                                                   └▶ or through the session's own proxy
 * ```
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import { logOf } from "../../../core/log.ts";
import {
  type EgressRoute,
  type EgressRouteOptions,
  openEgressRoute,
} from "./route.ts";
import {
  parseProxyRequest,
  ProxyProblem,
  type ProxyRequest,
} from "./proxy_request.ts";
import { NameLookups } from "./name_lookups.ts";
import { SocketReader } from "./socket_reader.ts";

const log = logOf("providers", "egress");

/** Maximum length of a request's head. */
const MAX_HEAD = 64 * 1_024;

/** Maximum number of connections per proxy. Chromium keeps up to 32 for each kind of socket. */
const MAX_CONNECTIONS = 512;

/** Timeout of a request's head. Long, because browsers open connections ahead of use. */
const HEAD_MS = 60_000;

/** Timeout of the connection to the target. */
const CONNECT_MS = 20_000;

/** Idle time after which a connection is closed. */
const IDLE_MS = 60 * 60_000;

/** Options of {@linkcode startEgressProxy}. */
export interface EgressProxyOptions extends EgressRouteOptions {
  /** Path of a unix socket that only its owner can use; by default the proxy listens on a free loopback port. */
  readonly path?: string | undefined;
  /** Maximum number of connections; further ones are rejected with 503. @default {512} */
  readonly maxConnections?: number | undefined;
}

/** A running proxy. Disposal ends it and its connections. */
export interface EgressProxy extends AsyncDisposable {
  /** URL of the loopback port for a browser. Meaningless with a path. */
  readonly url: string;
}

/** Starts a proxy. @throws {Error} If it cannot listen. */
export async function startEgressProxy(
  { path, maxConnections = MAX_CONNECTIONS, ...options }: EgressProxyOptions,
): Promise<EgressProxy> {
  const sockets = new Set<Socket>();
  const stop = new AbortController();
  const lookups = new NameLookups();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    if (stop.signal.aborted) socket.destroy();
  };
  let clients = 0;
  const server = createServer((client) => {
    track(client);
    clients++;
    client.once("close", () => clients--);
    const isFull = clients > maxConnections;
    const { signal } = stop;
    void serve(client, { isFull, options, lookups, track, signal });
  });
  if (path === undefined) server.listen(0, "127.0.0.1");
  else server.listen(path);
  await once(server, "listening");
  const closed = once(server, "close");
  return {
    url: `http://127.0.0.1:${readPort(server)}`,
    async [Symbol.asyncDispose]() {
      server.close();
      stop.abort(new Error("the proxy is closed"));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

interface Serving {
  readonly isFull: boolean;
  readonly options: EgressRouteOptions;
  readonly lookups: NameLookups;
  readonly track: (socket: Socket) => void;
  readonly signal: AbortSignal;
}

/** Serves one connection. Never rejects. */
async function serve(client: Socket, serving: Serving): Promise<void> {
  let request: ProxyRequest | undefined;
  try {
    if (serving.isFull) {
      throw new ProxyProblem(503, "Cannot connect: too many connections");
    }
    const reader = new SocketReader(client);
    request = await readRequest(client, reader);
    const route = await openRoute(request, client, serving);
    joinSockets(client, route, reader.release());
  } catch (error) {
    if (client.destroyed) return;
    if (!(error instanceof ProxyProblem)) return void client.destroy();
    log.debug("Rejected a connection: {reason}", { reason: error.message });
    reject(client, error);
  }
}

async function readRequest(
  client: Socket,
  reader: SocketReader,
): Promise<ProxyRequest> {
  const late = setTimeout(() => client.destroy(), HEAD_MS);
  try {
    return parseProxyRequest(await reader.head(MAX_HEAD));
  } catch (error) {
    if (error instanceof ProxyProblem) throw error;
    throw new ProxyProblem(
      431,
      `Cannot read the request: its head exceeds ${MAX_HEAD} bytes`,
    );
  } finally {
    clearTimeout(late);
  }
}

/** Opens the connection for a request and, for a tunnel, confirms it to the client. */
async function openRoute(
  request: ProxyRequest,
  client: Socket,
  { options, lookups, track, signal }: Serving,
): Promise<EgressRoute> {
  const gone = new AbortController();
  const onClose = () => gone.abort(new Error("the client is gone"));
  client.once("close", onClose);
  using patience = deadline(systemClock, CONNECT_MS, signal, gone.signal);
  try {
    const route = await openEgressRoute(request, {
      ...options,
      lookups,
      signal: patience.signal,
    });
    track(route.socket);
    if (route.head === undefined) {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    }
    return route;
  } finally {
    client.off("close", onClose);
  }
}

/** Copies both ways until one side ends, with back-pressure. */
function joinSockets(
  client: Socket,
  { socket, head, early }: EgressRoute,
  rest: Uint8Array,
): void {
  // Not destroyed, because data of the ended side may still be in transit to the other.
  client.on("close", () => socket.destroySoon());
  socket.on("close", () => client.destroySoon());
  for (const each of [client, socket]) {
    each.setTimeout(IDLE_MS, () => each.destroy());
  }
  if (client.destroyed) return void socket.destroy();
  if (head !== undefined) socket.write(head, "latin1");
  if (rest.length > 0) socket.write(rest);
  if (early.length > 0) client.write(early);
  client.pipe(socket);
  socket.pipe(client);
}

function reject(client: Socket, { status, message }: ProxyProblem): void {
  const text = message.toWellFormed();
  const body =
    `<!doctype html><meta charset="utf-8"><title>${status}</title><p>${
      escapeHtml(text)
    }</p>\n`;
  const reason = text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 500);
  client.end(
    [
      `HTTP/1.1 ${status} ${reason}`,
      "Content-Type: text/html; charset=utf-8",
      `Content-Length: ${new TextEncoder().encode(body).length}`,
      "Cache-Control: no-store",
      "Connection: close",
      "",
      body,
    ].join("\r\n"),
    () => client.destroySoon(),
  );
  // Drains the rest of the request: with unread data the client would receive a reset instead of the response.
  client.resume();
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(
    ">",
    "&gt;",
  );
}

function readPort(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}
