import type { Duplex } from "node:stream";
import { STATUS_CODES } from "node:http";
import { type GridError, problemHeaders, toProblem } from "../core/errors.ts";

/** Answers a request that asked for an upgrade with a problem, and closes its socket. */
export function refuse(socket: Duplex, error: GridError): void {
  const body = JSON.stringify(toProblem(error));
  const headers = {
    ...problemHeaders(error),
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
}
