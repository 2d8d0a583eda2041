/**
 * One port for everything: requests go to the router, upgrades to the apps as raw sockets.
 *
 * @module
 */
import { uuidv7 } from "uuidv7";
import {
  getRequestListener,
  type Http2Bindings,
  type HttpBindings,
} from "@hono/node-server";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions as HttpOptions,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../../async/clock.ts";
import type { InstalledApp } from "../../core/app.ts";
import { respondClientError } from "./client_error.ts";
import { discardBody } from "./request_queue.ts";
import { GridError, toGridError } from "../../core/errors.ts";
import { problemResponse } from "../problem_response.ts";
import { serveInOrder } from "./request_queue.ts";
import type { Ingress } from "./ingress.ts";
import {
  type AdmissionState,
  RepeatedRejections,
} from "./repeated_rejections.ts";
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

/** Time limits of requests. Responses and upgraded sockets have none. */
export interface ServerLimits {
  /** Time for the head of a request, which stops slow-loris clients. @default {15_000} */
  readonly headMs?: number;
  /** Time for a whole request. @default {60_000} */
  readonly requestMs?: number;
  /** Idle time of a connection, longer than the 60 s of load balancers, which would otherwise find it closed. @default {65_000} */
  readonly idleMs?: number;
  /** Interval at which the first two are checked. @default {5_000} */
  readonly checkMs?: number;
}

/** Maximum size of a request's head in bytes. Without it, a request line of several megabytes would be read. */
const MAX_HEAD_BYTES = 64 * 1024;

/** Connections that may wait to be accepted, so that bursts are not rejected. The system may allow fewer. */
const BACKLOG = 4_096;

/** Connections are probed after 30 s of silence. */
const KEEP_ALIVE = [true, 30_000] as const;

/** Options of a server. */
export interface ServerOptions {
  readonly host: string;
  /** 0 selects a free port. */
  readonly port: number;
  readonly fetch: (
    request: Request,
    bindings: GridBindings,
  ) => Response | Promise<Response>;
  /** Middleware of upgrades. By default all are accepted. */
  readonly gate?: UpgradeGate;
  /** Queue of requests that were not started yet. By default each is started when it arrives. */
  readonly ingress?: Ingress;
  /** Reports whether a request may be started before those that wait. By default none may. */
  readonly isUrgent?: (method: string, path: string) => boolean;
  /** Determines which requests are rejected under overload. By default none are. */
  readonly admission?: AdmissionState;
  /** Clock of repeated rejections. @default {systemClock} */
  readonly clock?: Clock;
  /** Called with each accepted upgrade, in order, until one takes it. */
  readonly upgraders: readonly NonNullable<InstalledApp["upgrade"]>[];
  /** Time that disposal waits for active requests. */
  readonly graceMs: number;
  readonly limits?: ServerLimits;
}

/** A listening server. Disposal stops accepting, waits for requests, then closes every socket. */
export interface RunningServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/** Starts a server. @throws {Error} The system's error if the port is taken or the address is unknown. */
export async function startServer(
  options: ServerOptions,
): Promise<RunningServer> {
  const server = createServer(
    createHttpOptions(options.limits),
    createListener(options),
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
    // Others, with a body, are requests that only offer another protocol (Java's client: h2c).
    shouldUpgradeCallback: ({ method }) => method === "GET",
  };
}

function createListener(
  { fetch, admission, clock, ingress, isUrgent }: ServerOptions,
): RequestListener {
  const rejections = admission &&
    new RepeatedRejections(admission, clock);
  const respond = getRequestListener(
    async (request, bindings: HttpBindings | Http2Bindings) => {
      // The listener accepts invalid hosts such as 256.1.1.1.
      if (!URL.canParse(request.url)) {
        return problemResponse(malformedRequest("its target or Host is wrong"));
      }
      const response = await fetch(request, bindings);
      return rejections?.record(bindings.incoming, response) ?? response;
    },
    {
      autoCleanupIncoming: false,
      errorHandler: respondFailure,
    },
  );
  return serveInOrder((incoming, outgoing) => {
    discardBody(incoming, outgoing);
    const isOverloaded = admission?.arrive(incoming) ?? false;
    if (isOverloaded && rejections?.repeat(incoming, outgoing)) return;
    const start = () => {
      if (!outgoing.destroyed) void respond(incoming, outgoing);
    };
    if (!ingress) return start();
    // A rejection takes little time, and its client is to have it at once.
    ingress.enter(start, () => isOverloaded || isUrgentRequest(incoming));
  });

  function isUrgentRequest({ method = "", url = "" }: IncomingMessage) {
    const [path = ""] = url.split("?", 1);
    return isUrgent?.(method, path) ?? false;
  }
}

/** Responds to an error outside of the router. */
function respondFailure(error: unknown): Response {
  if (error instanceof Error && error.name === "RequestError") {
    return problemResponse(malformedRequest(error.message));
  }
  const requestId = uuidv7();
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

/** Sends an upgrade through the gate to an upgrader, or responds to it. Never rejects. */
async function receiveUpgrade(
  options: ServerOptions,
  { request, socket, head }: Upgrade,
): Promise<void> {
  const gone = new AbortController();
  // Before an app takes the socket, a reset by its client must not end the process.
  socket.on("error", () => socket.destroy());
  socket.once("close", () => gone.abort());
  try {
    const asRequest = toRequest(request, gone.signal);
    const context = await options.gate?.(request, asRequest) ??
      acceptUpgrade(asRequest);
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

/** Responds to an upgrade that no app takes. If it is not to a WebSocket, the request is served without the upgrade. */
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
    // Detects vanished clients, and shows load balancers traffic on idle WebSockets. Set on each socket, because Deno's
    // server ignores its options of the same names.
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
  // A connection without any bytes does not count as idle.
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
