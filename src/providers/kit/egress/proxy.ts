/**
 * A proxy that limits a browser without its own network to the targets that its pool allows, and that adds the user
 * name and password of an upstream proxy.
 *
 * ```text
 * browser -> head of a request -> filter: resolve, decide by address -> connect to that address -> copy both ways
 *                                                                   +> or through the session's own proxy
 * ```
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import { createLogger } from "../../../core/log.ts";
import type { EgressRoute } from "./dial_target.ts";
import { NameLookups } from "./name_lookups.ts";
import {
  parseProxyRequest,
  ProxyProblem,
  type ProxyRequest,
} from "./proxy_request.ts";
import { type EgressRouteOptions, openEgressRoute } from "./route.ts";
import { SocketReader } from "./socket_reader.ts";

const log = createLogger("providers", "egress");

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
  /** Maximum number of connections. Further ones are rejected with 503. @default {512} */
  readonly maxConnections?: number | undefined;
}

/** Bytes that clients have received and sent. */
export interface Traffic {
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** Starts a proxy. @throws {Error} If it cannot listen. */
export async function startEgressProxy(
  options: EgressProxyOptions,
): Promise<EgressProxy> {
  const proxy = new EgressProxy(options);
  await proxy.listen();
  return proxy;
}

/** A proxy server. Disposal ends it and its connections. */
export class EgressProxy implements AsyncDisposable {
  readonly #options: EgressProxyOptions;
  readonly #maxConnections: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #stop = new AbortController();
  readonly #lookups = new NameLookups();
  readonly #clients = new Set<Socket>();
  /** Bytes of closed connections. */
  #closed: Traffic = { rxBytes: 0, txBytes: 0 };

  constructor(options: EgressProxyOptions) {
    this.#options = options;
    this.#maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
    this.#server = createServer((client) => void this.#accept(client));
  }

  /** URL of the loopback port for a browser. Meaningless with a path. */
  get url(): string {
    const address = this.#server.address();
    const isPort = typeof address === "object" && address !== null;
    return `http://127.0.0.1:${isPort ? address.port : 0}`;
  }

  /** Bytes that clients have received and sent since the start, of which some may be in buffers yet. */
  get traffic(): Traffic {
    return [...this.#clients].reduce(addTraffic, this.#closed);
  }

  /** Resolves when the server listens. */
  async listen(): Promise<void> {
    const { path } = this.#options;
    if (path === undefined) this.#server.listen(0, "127.0.0.1");
    else this.#server.listen(path);
    await once(this.#server, "listening");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#stop.abort(new Error("the proxy is closed"));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.#stop.signal.aborted) socket.destroy();
  }

  /** Serves one connection. Never rejects. */
  async #accept(client: Socket): Promise<void> {
    this.#track(client);
    this.#clients.add(client);
    const isFull = this.#clients.size > this.#maxConnections;
    client.once("close", () => {
      this.#clients.delete(client);
      this.#closed = addTraffic(this.#closed, client);
    });
    try {
      if (isFull) {
        throw new ProxyProblem(503, "Cannot connect: too many connections");
      }
      const reader = new SocketReader(client);
      const request = await readRequest(client, reader);
      const route = await this.#openRoute(request, client);
      joinSockets(client, route, reader.release());
    } catch (error) {
      if (client.destroyed) return;
      if (!(error instanceof ProxyProblem)) return void client.destroy();
      log.debug("Rejected a connection: {reason}", { reason: error.message });
      reject(client, error);
    }
  }

  /** Opens the connection for a request and, for a tunnel, confirms it to the client. */
  async #openRoute(
    request: ProxyRequest,
    client: Socket,
  ): Promise<EgressRoute> {
    const gone = new AbortController();
    const onClose = () => gone.abort(new Error("the client is gone"));
    client.once("close", onClose);
    const { signal } = this.#stop;
    using timeout = deadline(systemClock, CONNECT_MS, signal, gone.signal);
    try {
      const route = await openEgressRoute(request, {
        ...this.#options,
        lookups: this.#lookups,
        signal: timeout.signal,
      });
      this.#track(route.socket);
      if (route.head === undefined) {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      }
      return route;
    } finally {
      client.off("close", onClose);
    }
  }
}

function addTraffic(
  { rxBytes, txBytes }: Traffic,
  { bytesWritten, bytesRead }: Socket,
): Traffic {
  return { rxBytes: rxBytes + bytesWritten, txBytes: txBytes + bytesRead };
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

/** Copies both ways until one side ends, with back-pressure. */
function joinSockets(
  client: Socket,
  { socket, head, early }: EgressRoute,
  rest: Uint8Array,
): void {
  // Not destroyed at once: data of the ended side may still be in transit to the other.
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
