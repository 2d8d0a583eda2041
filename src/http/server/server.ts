/**
 * One port for everything: requests go to the router, upgrades to the apps as raw sockets.
 *
 * @module
 */
import { getRequestListener } from "@hono/node-server";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions as HttpOptions,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { v7 as uuid } from "uuid";
import type { InstalledApp } from "../../core/app.ts";
import { respondClientError } from "./client_error.ts";
import { discardBody } from "./discard_body.ts";
import { GridError, problemResponse, toGridError } from "../../core/errors.ts";
import { serveInOrder } from "./in_order.ts";
import { createLogger } from "../../core/log.ts";
import type { GridBindings } from "../../core/middleware.ts";
import { createUpgradeResponse, writeRawResponse } from "./raw_response.ts";
import {
  malformedRequest,
  toRequest,
  type UpgradeGate,
} from "./upgrade_gate.ts";
import { type UpgradeContext } from "../../core/app.ts";

const log = createLogger("core", "server");

/** How long clients may take. What is answered, and sockets that were upgraded, may take any time. */
export interface ServerLimits {
  /** For a request's head: a slow-loris client gets no further. @default {15_000} */
  readonly headMs?: number;
  /** For a whole request. @default {60_000} */
  readonly requestMs?: number;
  /** For the next request on a connection: longer than load balancers keep one (60 s), which would else find it closed. @default {65_000} */
  readonly idleMs?: number;
  /** How often the first two are looked after. @default {5_000} */
  readonly checkMs?: number;
}

/** Longest head of a request, in bytes. Without it a request line of a few megabytes is read to its end. */
const MAX_HEAD_BYTES = 64 * 1024;

/** Connections that may wait to be accepted: a crowd that comes at once is not refused. The system may allow fewer. */
const BACKLOG = 4_096;

/** Connections are probed after 30 s of silence. */
const KEEP_ALIVE = [true, 30_000] as const;

/** What a server serves. */
export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly fetch: (
    request: Request,
    bindings: GridBindings,
  ) => Response | Promise<Response>;
  /** What upgrades have to pass. By default all are let in. */
  readonly gate?: UpgradeGate;
  /** Offered each upgrade that the gate lets in, in order, until one takes it. */
  readonly upgraders: readonly NonNullable<InstalledApp["upgrade"]>[];
  /** How long disposal waits for requests that run. */
  readonly graceMs: number;
  readonly limits?: ServerLimits;
}

/** A listening server. Disposal stops accepting, waits for requests, then closes every socket. */
export interface RunningServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/** Listens. @throws {Error} The system's error when the port is taken or the address unknown. */
export async function startServer(
  options: ServerOptions,
): Promise<RunningServer> {
  const server = createServer(
    createHttpOptions(options.limits),
    createListener(options.fetch),
  );
  const sockets = trackSockets(server);
  server.on("clientError", respondClientError);
  server.on("upgrade", (request, socket, head) => {
    void receiveUpgrade(options, { request, socket, head });
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo; // A TCP server's address is never text.
  return {
    host: options.host,
    port,
    [Symbol.asyncDispose]: () => close(server, sockets, options.graceMs),
  };
}

function createHttpOptions(
  { headMs = 15_000, requestMs = 60_000, idleMs = 65_000, checkMs = 5_000 }:
    ServerLimits = {},
): HttpOptions {
  return {
    headersTimeout: headMs,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: checkMs,
    maxHeaderSize: MAX_HEAD_BYTES,
    // Others, with a body, are requests that offer another protocol besides (Java's client: h2c), which nobody has to take.
    shouldUpgradeCallback: ({ method }) => method === "GET",
  };
}

function createListener(fetch: ServerOptions["fetch"]): RequestListener {
  // It accepts invalid hosts such as 256.1.1.1.
  const answer = getRequestListener(
    (request, bindings: GridBindings) =>
      URL.canParse(request.url)
        ? fetch(request, bindings)
        : problemResponse(malformedRequest("its target or Host is wrong")),
    {
      autoCleanupIncoming: false,
      errorHandler: respondFailure,
    },
  );
  return serveInOrder((incoming, outgoing) => {
    discardBody(incoming, outgoing);
    void answer(incoming, outgoing);
  });
}

/** Answers what never got into the router, or got out of it unanswered. */
function respondFailure(error: unknown): Response {
  if (error instanceof Error && error.name === "RequestError") {
    return problemResponse(malformedRequest(error.message));
  }
  const requestId = uuid();
  log.error("Request {request_id} failed: {error}", {
    error,
    request_id: requestId,
  });
  return problemResponse(toGridError(error), requestId);
}

function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off("error", reject);
      server.on("error", (error) => log.error("Server: {error}", { error }));
      resolve();
    });
  });
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Uint8Array;
}

/** Has an upgrade pass the gate and find who takes it, or answers it. Never rejects. */
async function receiveUpgrade(
  options: ServerOptions,
  { request, socket, head }: Upgrade,
): Promise<void> {
  const gone = new AbortController();
  // Until somebody takes the socket, a reset by its client must not end the process.
  socket.on("error", () => socket.destroy());
  socket.once("close", () => gone.abort());
  try {
    const standIn = toRequest(request, gone.signal);
    const context = await options.gate?.(request, standIn) ??
      acceptUpgrade(standIn);
    if (socket.destroyed) return;
    if (context instanceof Response) {
      return await writeRawResponse(socket, context);
    }
    for (const upgrade of options.upgraders) {
      if (await upgrade(request, socket, head, context)) return;
    }
    await writeRawResponse(
      socket,
      await respondUntaken(options, request, context),
    );
  } catch (error) {
    if (!(error instanceof GridError)) {
      log.error("Upgrade failed: {error}", { error });
    }
    await writeRawResponse(socket, problemResponse(toGridError(error)));
  }
}

function acceptUpgrade({ url }: Request): UpgradeContext {
  return {
    url: new URL(url),
    path: new URL(url).pathname,
    baseUrl: new URL(url).origin,
    caller: undefined,
    requestId: undefined,
    headers: new Headers(),
  };
}

/** Answer to an upgrade that no app takes: if it is no WebSocket's, that of the same request without it. */
function respondUntaken(
  { fetch }: ServerOptions,
  incoming: IncomingMessage,
  context: UpgradeContext,
): Response | Promise<Response> {
  if (!/^websocket$/i.test(incoming.headers.upgrade ?? "")) {
    const signal = new AbortController().signal;
    return fetch(toRequest(incoming, signal), { incoming });
  }
  const error = new GridError(
    "not_found",
    `Cannot connect to "${context.url.pathname}": no such endpoint, expected one that /openapi.json lists`,
  );
  return createUpgradeResponse(error, context);
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    // Clients that vanish are noticed, and load balancers see traffic on idle WebSockets. By hand, because Deno's server
    // takes no notice of its options of the same names.
    socket.setKeepAlive(...KEEP_ALIVE);
    socket.setNoDelay();
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}

async function close(
  server: Server,
  sockets: ReadonlySet<Socket>,
  graceMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // A connection on which nothing was ever sent does not count as idle there.
  for (const socket of sockets) {
    if (socket.bytesRead === 0) socket.destroy();
  }
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  await closed;
  clearTimeout(timer);
  for (const socket of sockets) socket.destroy();
}
