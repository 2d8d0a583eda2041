import { Buffer } from "node:buffer";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type GridError, problemResponse } from "./errors.ts";
import type { UpgradeContext } from "./upgrade_gate.ts";

/** How long a client may take to read the answer and close its side. */
const LINGER_MS = 2_000;

/** Headers that this writes itself, or that belong to one connection. */
const OWN_HEADERS = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "transfer-encoding",
]);

/** Answer for `error` to an upgrade that the middleware has let in, with the headers that it adds. */
export function refusalOf(
  error: GridError,
  { requestId, headers }: Pick<UpgradeContext, "requestId" | "headers">,
): Response {
  const refusal = problemResponse(error, requestId);
  for (const [name, value] of headers) {
    if (!refusal.headers.has(name)) refusal.headers.append(name, value);
  }
  return refusal;
}

/** Writes a whole answer to a socket on which no `ServerResponse` is, and closes it. Never rejects. */
export async function answerRaw(
  socket: Duplex,
  response: Response,
): Promise<void> {
  const body = await response.bytes().catch(() => new Uint8Array());
  if (socket.destroyed) return;
  socket.on("error", () => socket.destroy());
  const lines = [...response.headers].flatMap(([name, value]) =>
    OWN_HEADERS.has(name) ? [] : [`${name}: ${value}\r\n`]
  );
  const { status } = response;
  socket.end(Buffer.concat([
    Buffer.from(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${
        lines.join("")
      }content-length: ${body.length}\r\nconnection: close\r\n\r\n`,
      "latin1",
    ),
    body,
  ]));
  // Unread bytes would keep its end from being seen, and turn our close into a reset that takes the answer along.
  socket.resume();
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(linger));
}
