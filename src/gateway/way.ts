/**
 * Ways to browsers: a byte stream to the address that a browser listens on, by whatever leads there.
 *
 * @module
 */
import { once } from "node:events";
import { Agent } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { deadline, systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import type { RunningTarget } from "./target.ts";

/** Longest wait for a connection. */
const CONNECT_MS = 5_000;

/** A dead browser's host is noticed after this time. */
const KEEP_ALIVE_MS = 30_000;

/** How a browser is reached. */
export interface Way {
  /** The browser's own WebSocket address: what requests on the stream are for. */
  readonly url: URL;
  /**
   * Opens one byte stream to the address, paused. Whoever opens it ends it.
   *
   * @throws {GridError} `worker_unreachable` — no connection in time, or `signal` was aborted before.
   */
  connect(signal: AbortSignal): Promise<Duplex>;
}

/** Finds the way to a session's browser. */
export type WayTo = (target: RunningTarget) => Way;

/** The way over the network, to the address itself. */
export function directly({ url }: Pick<RunningTarget, "url">): Way {
  return { url, connect: (signal) => dialled(url, signal) };
}

/** An agent whose one request goes along `stream`, for `node:http` and what is made on it. */
export function agentOver(stream: Duplex): Agent {
  return Object.assign(new Agent(), { createConnection: () => stream });
}

/** The refusal when a browser does not answer. */
export function browserUnreachable(cause: unknown): GridError {
  return new GridError(
    "worker_unreachable",
    "Cannot reach the browser: it does not answer, expected a browser that runs; try again",
    {},
    { cause },
  );
}

async function dialled(url: URL, signal: AbortSignal): Promise<Duplex> {
  using patience = deadline(systemClock, CONNECT_MS, signal);
  const socket = connect({
    port: Number(url.port || 80),
    host: url.hostname.replace(/^\[|\]$/g, ""),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
  try {
    await once(socket, "connect", { signal: patience.signal });
    return socket;
  } catch (cause) {
    socket.destroy();
    throw browserUnreachable(cause);
  }
}
