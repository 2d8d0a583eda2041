import type { IncomingMessage } from "node:http";
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { targetNotFound } from "./devtools/target_id.ts";
import { browserUnreachable, type Dialer } from "./dialer.ts";

/** Maximum length of the head of a browser's response, in bytes. */
const MAX_HEAD_BYTES = 16 * 1024;

/** Handshake headers that both ends must agree on. No other header of the client reaches the browser. */
const HANDSHAKE_HEADERS = [
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
];

/** A stream to a browser after the handshake. */
export interface HandshakeResult {
  /** The stream, paused. Its "data" events may reuse one buffer. */
  readonly socket: Duplex;
  /** The browser's 101 response and the bytes that followed it, unchanged. */
  readonly response: Uint8Array;
}

/** Thrown when the browser responds, but not with 101. */
class HandshakeRejectedError extends Error {}

/** Options of {@linkcode replayHandshake}. */
export interface HandshakeOptions {
  /** Path at the browser; undefined connects to the whole browser. */
  readonly path?: string | undefined;
  /** Ends the wait for the browser's response. There is no other timeout. */
  readonly signal: AbortSignal;
}

/**
 * Opens a stream to a browser and repeats the client's handshake there, so that both ends agree on the same key,
 * extensions and protocol.
 *
 * @throws {GridError} `worker_unreachable` - no connection, no 101, or `signal` was aborted before; `target_not_found`
 *   - the browser has no target at `path`.
 */
export async function replayHandshake(
  dialer: Dialer,
  request: IncomingMessage,
  { path, signal }: HandshakeOptions,
): Promise<HandshakeResult> {
  const socket = await dialer.dial(signal, { reusesBuffer: true });
  const onAbort = () => socket.destroy();
  signal.addEventListener("abort", onAbort);
  try {
    signal.throwIfAborted();
    const { url } = dialer;
    const head = renderHandshake(
      path ?? url.pathname + url.search,
      url.host,
      request,
    );
    const response = await exchangeHandshake(socket, head);
    signal.throwIfAborted();
    return { socket, response };
  } catch (cause) {
    socket.destroy();
    const isRejected = path !== undefined &&
      cause instanceof HandshakeRejectedError;
    throw isRejected
      ? targetNotFound(`the browser has none at ${path}`, { cause })
      : browserUnreachable(cause);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function renderHandshake(
  path: string,
  host: string,
  request: IncomingMessage,
): string {
  const lines = HANDSHAKE_HEADERS.flatMap((name) => {
    const value = request.headers[name];
    return typeof value === "string" ? [`${name}: ${value}\r\n`] : [];
  });
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n` +
    `Connection: Upgrade\r\nUpgrade: websocket\r\n${lines.join("")}\r\n`;
}

/** Sends `head` and returns the response. Leaves the socket paused and without listeners. */
function exchangeHandshake(socket: Duplex, head: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let response = Buffer.alloc(0);
    function settle(outcome: () => void): void {
      socket.off("data", onData);
      socket.off("error", onError);
      socket.off("close", onClose);
      outcome();
    }
    const onError = (error: Error) => settle(() => reject(error));
    const onClose = () => settle(() => reject(new Error("closed")));
    function onData(chunk: Uint8Array): void {
      response = Buffer.concat([response, chunk]);
      const isWhole = response.includes("\r\n\r\n");
      if (!isWhole && response.length < MAX_HEAD_BYTES) return;
      socket.pause();
      const isSwitch = /^HTTP\/1\.1 101 /.test(
        response.toString("latin1", 0, 16),
      );
      settle(() =>
        isWhole && isSwitch
          ? resolve(response)
          : reject(new HandshakeRejectedError("the status is not 101"))
      );
    }
    socket.on("data", onData);
    socket.on("error", onError);
    socket.on("close", onClose);
    socket.write(head);
  });
}
