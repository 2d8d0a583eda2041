import { Buffer } from "node:buffer";
import type { Upgrade } from "../http/server/socket_route.ts";
import type { HandshakeResult } from "./handshake.ts";
import { supportsPings } from "./stream/ping.ts";
import type { JoinedStream, StreamOptions } from "./stream/joined_stream.ts";
import type { StreamThreads } from "./stream/thread/stream_threads.ts";

/** The extension that compresses messages, in the head of a response. */
const DEFLATE = /^sec-websocket-extensions:.*permessage-deflate/im;
const NO_CONTEXT = /^sec-websocket-extensions:.*client_no_context_takeover/im;

/** Options of {@linkcode spliceClient}. */
export interface SpliceClientOptions
  extends Pick<StreamOptions, "explain" | "hold"> {
  /** Headers that are added to the browser's handshake response. */
  readonly headers: Readonly<Record<string, string>>;
  readonly threads: StreamThreads;
}

/** Sends the browser's handshake response to the client, and joins both sockets. */
export function spliceClient(
  { socket, head, request }: Pick<Upgrade, "socket" | "head" | "request">,
  { socket: upstream, response }: HandshakeResult,
  { headers, threads, explain, hold }: SpliceClientOptions,
): JoinedStream {
  const { isDeflated, response: agreed } = endContextTakeover(response);
  const toClient = appendHeaders(agreed, headers);
  const headLength = findHeadEnd(toClient);
  return threads.join(socket, upstream, {
    first: { toClient, headLength, toBrowser: head },
    pings: supportsPings(request),
    isDeflated,
    hold,
    explain,
  });
}

/** Returns the length of the head of an HTTP response, including the empty line at its end. */
function findHeadEnd(response: Uint8Array): number {
  return Buffer.from(response).indexOf("\r\n\r\n") + 4;
}

/**
 * Reports whether the browser accepts compressed messages, and then requests the client to compress each alone. Its
 * messages can be read from any point on, and one that is held leaves the others readable. The browser reads both ways.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7692#section-7.1.1.2 RFC 7692, 7.1.1.2}
 */
function endContextTakeover(
  response: Uint8Array,
): { readonly isDeflated: boolean; readonly response: Uint8Array } {
  const end = findHeadEnd(response);
  const head = Buffer.from(response.subarray(0, end)).toString("latin1");
  const isDeflated = DEFLATE.test(head);
  if (!isDeflated || NO_CONTEXT.test(head)) return { isDeflated, response };
  const changed = head.replace(DEFLATE, "$&; client_no_context_takeover");
  const bytes = [Buffer.from(changed, "latin1"), response.subarray(end)];
  return { isDeflated, response: Buffer.concat(bytes) };
}

/** Inserts `headers` at the end of the head of an HTTP response. The bytes after the head stay unchanged. */
function appendHeaders(
  response: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  const end = findHeadEnd(response) - 2;
  return Buffer.concat([
    response.subarray(0, end),
    Buffer.from(lines.join(""), "latin1"),
    response.subarray(end),
  ]);
}
