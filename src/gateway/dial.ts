import type { IncomingMessage } from "node:http";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { GridError } from "../core/errors.ts";

const CONNECT_MS = 5_000;

/** A dead browser's host is noticed after this time. */
const KEEP_ALIVE_MS = 30_000;

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
export interface Dialled {
  readonly socket: Socket;
  /** The browser's 101 answer and whatever came with it, for the client as it is. */
  readonly answer: Uint8Array;
}

/**
 * Opens a connection to a browser and repeats the client's handshake there, so that the two agree with each other.
 *
 * @throws {GridError} `worker_unreachable` — no connection, no 101, or `signal` was aborted before.
 */
export async function dial(
  endpoint: URL,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<Dialled> {
  const socket = connect({
    port: Number(endpoint.port || 80),
    host: endpoint.hostname.replace(/^\[|\]$/g, ""),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
  const giveUp = () => socket.destroy();
  signal.addEventListener("abort", giveUp);
  try {
    signal.throwIfAborted();
    const dialled = await answered(socket, handshake(endpoint, request));
    signal.throwIfAborted();
    return dialled;
  } catch (cause) {
    socket.destroy();
    throw new GridError(
      "worker_unreachable",
      "Cannot reach the browser: it does not answer, expected a browser that runs; try again",
      {},
      { cause },
    );
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

function handshake(endpoint: URL, request: IncomingMessage): string {
  const lines = HANDSHAKE_HEADERS.flatMap((name) => {
    const value = request.headers[name];
    return typeof value === "string" ? [`${name}: ${value}\r\n`] : [];
  });
  return `GET ${endpoint.pathname}${endpoint.search} HTTP/1.1\r\n` +
    `Host: ${endpoint.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `${lines.join("")}\r\n`;
}

/** Sends `head` and reads the answer's head; leaves the socket paused, with no listener of its own. */
function answered(socket: Socket, head: string): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const timer = setTimeout(
      () => settle(() => reject(new Error("no answer in time"))),
      CONNECT_MS,
    );
    function settle(outcome: () => void): void {
      clearTimeout(timer);
      socket.off("data", onData);
      socket.off("error", onError);
      socket.off("close", onClose);
      outcome();
    }
    const onError = (error: Error) => settle(() => reject(error));
    const onClose = () => settle(() => reject(new Error("closed")));
    function onData(chunk: Uint8Array): void {
      chunks.push(chunk);
      const answer = Buffer.concat(chunks);
      const isWhole = answer.includes("\r\n\r\n");
      if (!isWhole && answer.length < MAX_HEAD) return;
      socket.pause();
      const isSwitch = /^HTTP\/1\.1 101 /.test(
        answer.toString("latin1", 0, 16),
      );
      settle(() =>
        isWhole && isSwitch
          ? resolve({ socket, answer })
          : reject(new Error("the answer is no 101"))
      );
    }
    socket.on("data", onData);
    socket.on("error", onError);
    socket.on("close", onClose);
    socket.write(head);
  });
}
