import { Buffer } from "node:buffer";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type GridError, problemResponse } from "../../core/errors.ts";
import { problemSchema } from "../openapi/problems.ts";
import { truncate } from "../../core/text.ts";
import type { UpgradeContext } from "../../core/app.ts";

/** How long a client may take to read the answer and close its side. */
const LINGER_MS = 2_000;

/** Headers that this writes itself, or that belong to one connection. */
const OWN_HEADERS = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "transfer-encoding",
]);

/** Header that repeats the reason phrase, which HTTP/2 lacks. */
const ERROR_HEADER = "browsergrid-error";

/** Maximum length of the reason phrase. */
const MAX_SENTENCE = 300;

/**
 * Returns the detail of a problem as one line of ASCII. WebSocket clients show the reason phrase at best, never the
 * body.
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
  return truncate(detail, MAX_SENTENCE).replaceAll("…", "...").replaceAll(
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

/** Answer for `error` to an upgrade that the middleware has let in, with the headers that it adds. */
export function createUpgradeResponse(
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
export async function writeRawResponse(
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
  const sentence = renderReason(response, body);
  const phrase = sentence ?? STATUS_CODES[status] ?? "";
  if (sentence !== undefined) lines.push(`${ERROR_HEADER}: ${sentence}\r\n`);
  socket.end(Buffer.concat([
    Buffer.from(
      `HTTP/1.1 ${status} ${phrase}\r\n${
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
