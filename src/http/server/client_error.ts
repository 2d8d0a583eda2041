import type { Duplex } from "node:stream";
import { type CommonCode, GridError } from "../../core/errors.ts";
import { problemResponse } from "../problem_response.ts";
import { createLogger } from "../../core/log.ts";
import { writeRawResponse } from "./raw_response.ts";

const log = createLogger("core", "server");

/** Problems by the error codes of the HTTP parser and its timers. Any other is `malformed_request`. */
const KNOWN: Readonly<Record<string, readonly [CommonCode, string]>> = {
  HPE_HEADER_OVERFLOW: [
    "headers_too_large",
    "Cannot read the request: its head is too large, expected at most 64 KiB",
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    "request_timeout",
    "Cannot read the request: it has not arrived in time, expected head and body without a pause",
  ],
};

/** Listens for `clientError`: responds to a malformed or slow request and closes the connection. */
export function respondClientError(
  error: Error & { readonly code?: string },
  socket: Duplex,
): void {
  log.debug("Connection of a client failed: {code}", { code: error.code });
  if (!socket.writable || error.code === "ECONNRESET" || isResponding(socket)) {
    socket.destroy();
    return;
  }
  // The parser would report every further chunk that is discarded.
  socket.removeAllListeners("data");
  const [code, detail] = KNOWN[error.code ?? ""] ?? [
    "malformed_request",
    "Cannot read the request: it is not HTTP/1.1, expected a request line and headers",
  ];
  void writeRawResponse(socket, problemResponse(new GridError(code, detail)));
}

/** Reports whether part of a response was sent; a second one would be read as its content. */
function isResponding(socket: Duplex): boolean {
  const message = "_httpMessage" in socket ? socket._httpMessage : undefined;
  return typeof message === "object" && message !== null &&
    "headersSent" in message && message.headersSent === true;
}
