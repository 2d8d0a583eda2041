import type { IncomingMessage } from "node:http";
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { targetNotFound } from "./devtools/target_id.ts";
import { browserUnreachable, type Dialer } from "./dialer.ts";

/** Longest head of an answer that is read. */
const MAX_HEAD = 16 * 1024;

/** Headers of a handshake that both ends must agree on; nothing else of the client's reaches the browser. */
const HANDSHAKE_HEADERS = [
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
];

/** The other side of a stream, its handshake done. */
export interface HandshakeResult {
  /** Lends the bytes of its "data" events. */
  readonly socket: Duplex;
  /** The browser's 101 answer and whatever came with it, for the client as it is. */
  readonly response: Uint8Array;
}

/** The browser answers, but does not take the handshake. */
class HandshakeRejectedError extends Error {}

/** What of a browser is dialled. */
export interface HandshakeOptions {
  /** Path at the browser, if it is not the whole browser that is asked for. */
  readonly path?: string | undefined;
  /** Ends the wait for the browser's response. There is no other timeout. */
  readonly signal: AbortSignal;
}

/**
 * Opens a stream to a browser and repeats the client's handshake there, so that the two agree with each other.
 *
 * @throws {GridError} `worker_unreachable` — no connection, no 101, or `signal` was aborted before; `target_not_found`
 *   — the browser has nothing at `path`.
 */
export async function replayHandshake(
  { url, dial }: Dialer,
  request: IncomingMessage,
  { path, signal }: HandshakeOptions,
): Promise<HandshakeResult> {
  const socket = await dial(signal, { reusesBuffer: true });
  const giveUp = () => socket.destroy();
  signal.addEventListener("abort", giveUp);
  try {
    signal.throwIfAborted();
    const asked = path ?? url.pathname + url.search;
    const head = renderHandshake(asked, url.host, request);
    const dialled = await exchangeHandshake(socket, head);
    signal.throwIfAborted();
    return dialled;
  } catch (cause) {
    socket.destroy();
    const isRefused = path !== undefined &&
      cause instanceof HandshakeRejectedError;
    throw isRefused
      ? targetNotFound(`the browser has none at ${path}`, { cause })
      : browserUnreachable(cause);
  } finally {
    signal.removeEventListener("abort", giveUp);
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

/** Sends `head` and reads the answer's head; leaves the socket paused, with no listener of its own. */
function exchangeHandshake(
  socket: Duplex,
  head: string,
): Promise<HandshakeResult> {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    function settle(outcome: () => void): void {
      socket.off("data", onData);
      socket.off("error", onError);
      socket.off("close", onClose);
      outcome();
    }
    const onError = (error: Error) => settle(() => reject(error));
    const onClose = () => settle(() => reject(new Error("closed")));
    function onData(chunk: Uint8Array): void {
      answer = Buffer.concat([answer, chunk]);
      const isWhole = answer.includes("\r\n\r\n");
      if (!isWhole && answer.length < MAX_HEAD) return;
      socket.pause();
      const isSwitch = /^HTTP\/1\.1 101 /.test(
        answer.toString("latin1", 0, 16),
      );
      settle(() =>
        isWhole && isSwitch
          ? resolve({ socket, response: answer })
          : reject(new HandshakeRejectedError("the answer is no 101"))
      );
    }
    socket.on("data", onData);
    socket.on("error", onError);
    socket.on("close", onClose);
    socket.write(head);
  });
}
