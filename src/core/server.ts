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
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { InstalledApp } from "./app.ts";
import { discardBody } from "./discard_body.ts";
import { describeError, logOf } from "./log.ts";

const log = logOf("core", "server");

/** Longest time for a client to send its request's head: a slow-loris client gets no further. */
const HEADERS_TIMEOUT_MS = 15_000;

/** Longest time for a whole request to arrive; answers may take longer. */
const REQUEST_TIMEOUT_MS = 60_000;

/** Connections that may wait to be accepted: a crowd that comes at once is not refused. The system may allow fewer. */
const BACKLOG = 4_096;

/** Connections are probed after 30 s of silence. */
const KEEP_ALIVE = [true, 30_000] as const;

/** What a server serves. */
export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** Offered each upgrade in order, until one takes it. */
  readonly upgraders: readonly NonNullable<InstalledApp["upgrade"]>[];
  /** How long disposal waits for requests that run. */
  readonly graceMs: number;
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
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Without it a request line of a few megabytes is read to its end.
      maxHeaderSize: 64 * 1024,
    },
    listener(options.fetch),
  );
  const sockets = trackSockets(server);
  server.on("upgrade", (request, socket, head) => {
    void offer(options.upgraders, request, socket, head);
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo; // A TCP server's address is never text.
  return {
    host: options.host,
    port,
    [Symbol.asyncDispose]: () => close(server, sockets, options.graceMs),
  };
}

function listener(fetch: ServerOptions["fetch"]): RequestListener {
  const answer = getRequestListener(fetch, { autoCleanupIncoming: false });
  return (incoming, outgoing) => {
    discardBody(incoming, outgoing);
    void answer(incoming, outgoing);
  };
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

async function offer(
  upgraders: ServerOptions["upgraders"],
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
): Promise<void> {
  // Until somebody takes the socket, a reset by its client must not end the process.
  socket.on("error", () => socket.destroy());
  try {
    for (const upgrade of upgraders) {
      if (await upgrade(request, socket, head)) return;
    }
    socket.end(
      "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
  } catch (error) {
    log.error("Upgrade failed: {error}", { error: describeError(error) });
    socket.destroy();
  }
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
