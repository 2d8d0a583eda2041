import type { Duplex } from "node:stream";
import { STATUS_CODES } from "node:http";
import { type GridError, problemHeaders, toProblem } from "../core/errors.ts";

/** How long a client may take to read the answer and close its side. */
const LINGER_MS = 2_000;

/** What a client should ask for. @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2 RFC 6455, 4.2.2} */
const EXPECTED = { upgrade: "websocket", "sec-websocket-version": "13" };

/** Answers a request that asked for an upgrade with a problem, and closes its socket. */
export function refuse(socket: Duplex, error: GridError): void {
  const body = JSON.stringify(toProblem(error));
  const headers = {
    ...problemHeaders(error),
    ...(error.code === "upgrade_required" ? EXPECTED : {}),
    "content-length": String(new TextEncoder().encode(body).length),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  socket.end(
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ""}\r\n${
      lines.join("")
    }\r\n${body}`,
  );
  // Unread bytes would keep its end from being seen, and turn our close into a reset that takes the answer along.
  socket.resume();
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(linger));
}
