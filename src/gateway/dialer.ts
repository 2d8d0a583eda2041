/**
 * Dialers open byte streams to browsers, over the network, a unix socket or a worker's tunnel.
 *
 * @module
 */
import { once } from "node:events";
import { Agent } from "node:http";
import { connect, type NetConnectOpts } from "node:net";
import type { Duplex } from "node:stream";
import type { SessionTarget } from "../apps/sessions/manager.ts";
import { systemClock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { GridError } from "../core/errors.ts";
import { toSocketHost } from "../core/network.ts";
import { gatewayProblems } from "./problems.ts";
import type { StreamReach } from "./connection_metrics.ts";
import { connectReusingBuffer } from "./stream/reused_buffer_socket.ts";

/**
 * Timeout of a connection. A browser on a busy host accepts late, and the system retries at most 15 s apart until then.
 */
const CONNECT_MS = 25_000;

/** Idle time after which TCP keep-alive probes start to detect a dead host. */
const KEEP_ALIVE_MS = 30_000;

/** Opens byte streams to one browser. */
export interface Dialer {
  /** The browser's WebSocket URL. Requests on a stream name its host. */
  readonly url: URL;
  /** Path of the last stream to the browser. */
  readonly reach: StreamReach;
  /**
   * Opens a byte stream to the browser, paused. The caller closes it.
   *
   * @throws {GridError} `worker_unreachable` - no connection in time, or `signal` was aborted before.
   */
  dial(signal: AbortSignal, options?: StreamOptions): Promise<Duplex>;
}

/** Options of a stream. */
export interface StreamOptions {
  /**
   * Allows the stream to reuse one buffer for all "data" events: the bytes are valid until the listeners return, or, if
   * they pause the stream, until it is resumed. Saves memory and half of the processor time of a copy.
   *
   * @default {false}
   */
  readonly reusesBuffer?: boolean;
}

/** A running session and the address of its browser. */
export interface RunningTarget extends SessionTarget {
  /** The browser's WebSocket URL, as its worker reaches it. */
  readonly url: URL;
}

/** Returns the dialer of a session's browser. */
export type DialerFor = (target: RunningTarget) => Promise<Dialer>;

/** Dials the browser's address over the network. */
export class DirectDialer implements Dialer {
  readonly url: URL;
  readonly reach = "direct";
  readonly #address: NetConnectOpts;

  constructor({ url }: Pick<RunningTarget, "url">) {
    this.url = url;
    this.#address = {
      port: Number(url.port || 80),
      host: toSocketHost(url),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    };
  }

  async dial(signal: AbortSignal, options?: StreamOptions): Promise<Duplex> {
    return await openSocket(this.#address, signal, options);
  }
}

/** Dials a browser that listens on a unix socket of this host. */
export class UnixSocketDialer implements Dialer {
  readonly url: URL;
  readonly reach = "local";
  readonly #path: string;

  constructor(url: URL, path: string) {
    this.url = url;
    this.#path = path;
  }

  async dial(signal: AbortSignal, options?: StreamOptions): Promise<Duplex> {
    return await openSocket({ path: this.#path }, signal, options);
  }
}

/** Returns an agent whose only request is sent on `stream`, for `node:http` and libraries that use it. */
export function createStreamAgent(stream: Duplex): Agent {
  return Object.assign(new Agent(), { createConnection: () => stream });
}

/** Returns the problem for a browser that does not respond. A more specific `cause` is returned unchanged. */
export function browserUnreachable(cause: unknown): GridError {
  if (cause instanceof GridError && cause.code === "worker_unreachable") {
    return cause;
  }
  return new GridError(
    gatewayProblems.worker_unreachable,
    "Cannot reach the browser: it does not respond, expected a running browser; try again",
    {},
    { cause },
  );
}

async function openSocket(
  address: NetConnectOpts,
  signal: AbortSignal,
  { reusesBuffer = false }: StreamOptions = {},
): Promise<Duplex> {
  using timeout = deadline(systemClock, CONNECT_MS, signal);
  const open = reusesBuffer ? connectReusingBuffer : connect;
  const socket = open(address);
  try {
    await once(socket, "connect", { signal: timeout.signal });
    return socket;
  } catch (cause) {
    socket.destroy();
    throw browserUnreachable(cause);
  }
}
