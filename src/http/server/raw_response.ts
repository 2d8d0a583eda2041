import { Buffer } from "node:buffer";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type GridError } from "../../core/errors.ts";
import { problemResponse } from "../problem_response.ts";
import { problemSchema } from "../openapi/problems.ts";
import { truncate } from "../../core/text.ts";
import type { UpgradeContext } from "../../core/app.ts";

/** Time for a client to read the response and close its side. */
const LINGER_MS = 2_000;

/** Headers that {@linkcode writeRawResponse} sets, or that apply only to one connection. */
const CONNECTION_HEADERS = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "transfer-encoding",
]);

/** Header that repeats the reason phrase, which HTTP/2 lacks. */
const ERROR_HEADER = "browsergrid-error";

/** Maximum length of the reason phrase. */
const MAX_REASON = 300;

/**
 * Returns the detail of a problem as one line of ASCII. WebSocket clients show at most the reason phrase, never
 * the body.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-4 RFC 9112, 4}
 */
function renderReason(
  { headers }: Response,
  body: Uint8Array,
): string | undefined {
  if (headers.get("content-type") !== "application/problem+json") return;
  const detail = parseDetail(new TextDecoder().decode(body));
  if (detail === undefined) return;
  return truncate(detail, MAX_REASON).replaceAll("\u2026", "...").replaceAll(
    /[^\x20-\x7e]/g,
    "?",
  );
}

function parseDetail(json: string): string | undefined {
  try {
    return problemSchema.safeParse(JSON.parse(json)).data?.detail;
  } catch {
    return undefined; // A plugin's own response.
  }
}

/** Creates the response for an error after the middleware has accepted an upgrade, with the headers of the middleware. */
export function createUpgradeResponse(
  error: GridError,
  { requestId, headers }: Pick<UpgradeContext, "requestId" | "headers">,
): Response {
  const response = problemResponse(error, requestId);
  for (const [name, value] of headers) {
    if (!response.headers.has(name)) response.headers.append(name, value);
  }
  return response;
}

/** Writes a response to a socket without a `ServerResponse`, and closes it. Never rejects. */
export async function writeRawResponse(
  socket: Duplex,
  response: Response,
): Promise<void> {
  const body = await response.bytes().catch(() => new Uint8Array());
  if (socket.destroyed) return;
  socket.on("error", () => socket.destroy());
  const lines = [...response.headers].flatMap(([name, value]) =>
    CONNECTION_HEADERS.has(name) ? [] : [`${name}: ${value}\r\n`]
  );
  const { status } = response;
  const reason = renderReason(response, body);
  const phrase = reason ?? STATUS_CODES[status] ?? "";
  if (reason !== undefined) lines.push(`${ERROR_HEADER}: ${reason}\r\n`);
  socket.end(Buffer.concat([
    Buffer.from(
      `HTTP/1.1 ${status} ${phrase}\r\n${
        lines.join("")
      }content-length: ${body.length}\r\nconnection: close\r\n\r\n`,
      "latin1",
    ),
    body,
  ]));
  // Unread bytes would hide the client's end, and turn the close into a reset that discards the response.
  socket.resume();
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(linger));
}
