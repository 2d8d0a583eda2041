/**
 * Ways to browsers: a byte stream to the address that a browser listens on, by whatever leads there.
 *
 * @module
 */
import { once } from "node:events";
import { Agent } from "node:http";
import { connect, type NetConnectOpts } from "node:net";
import type { Duplex } from "node:stream";
import { systemClock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { GridError } from "../core/errors.ts";
import { toSocketHost } from "../core/network.ts";
import { connectReusingBuffer } from "./stream/reused_buffer_socket.ts";
import type { RunningTarget } from "./target.ts";
import { gatewayProblems } from "./problems.ts";

/**
 * Timeout of a connection. A browser on a busy host accepts late, and the system retries at most 15 s apart until then.
 */
const CONNECT_MS = 25_000;

/** A dead browser's host is noticed after this time. */
const KEEP_ALIVE_MS = 30_000;

/** How a browser is reached. */
export interface Dialer {
  /** The browser's own WebSocket address: what requests on the stream are for. */
  readonly url: URL;
  /**
   * Opens one byte stream to the address, paused. Whoever opens it ends it.
   *
   * @throws {GridError} `worker_unreachable` — no connection in time, or `signal` was aborted before.
   */
  dial(signal: AbortSignal, options?: StreamOptions): Promise<Duplex>;
}

/** What whoever opens a stream can do without. */
export interface StreamOptions {
  /**
   * Its "data" events may lend what they bring: those bytes hold until the listeners return, or longer if they pause the
   * stream, until it is resumed. For who copies a stream: it saves memory, and half of the work. @default {false}
   */
  readonly reusesBuffer?: boolean;
}

/** Finds the way to a session's browser. */
export type DialerFor = (target: RunningTarget) => Dialer;

/** The way over the network, to the address itself. */
export function dialDirect({ url }: Pick<RunningTarget, "url">): Dialer {
  const place = {
    port: Number(url.port || 80),
    host: toSocketHost(url),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  };
  return { url, dial: (signal, options) => openSocket(place, signal, options) };
}

/** Returns the dialer of a browser that listens on a unix socket of this host. */
export function dialUnixSocket(
  url: URL,
  path: string,
): Dialer {
  return {
    url,
    dial: (signal, options) => openSocket({ path }, signal, options),
  };
}

/** An agent whose one request goes along `stream`, for `node:http` and what is made on it. */
export function createStreamAgent(stream: Duplex): Agent {
  return Object.assign(new Agent(), { createConnection: () => stream });
}

/** Returns the rejection of a connection to a browser that does not respond. A more specific error is kept. */
export function browserUnreachable(cause: unknown): GridError {
  if (
    cause instanceof GridError &&
    cause.code === gatewayProblems.worker_unreachable.code
  ) {
    return cause;
  }
  return new GridError(
    gatewayProblems.worker_unreachable,
    "Cannot reach the browser: it does not answer, expected a browser that runs; try again",
    {},
    { cause },
  );
}

async function openSocket(
  place: NetConnectOpts,
  signal: AbortSignal,
  { reusesBuffer: reusesBuffer = false }: StreamOptions = {},
): Promise<Duplex> {
  using timeout = deadline(systemClock, CONNECT_MS, signal);
  const open = reusesBuffer ? connectReusingBuffer : connect;
  const socket = open(place);
  try {
    await once(socket, "connect", { signal: timeout.signal });
    return socket;
  } catch (cause) {
    socket.destroy();
    throw browserUnreachable(cause);
  }
}
