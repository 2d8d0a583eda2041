import { Buffer } from "node:buffer";
import type { Upgrade } from "../http/server/socket_route.ts";
import type { HandshakeResult } from "./handshake.ts";
import { supportsPings } from "./stream/ping.ts";
import type { JoinedStream, StreamOptions } from "./stream/joined_stream.ts";
import type { StreamThreads } from "./stream/thread/stream_threads.ts";

/** Options of {@linkcode spliceClient}. */
export interface SpliceClientOptions extends Pick<StreamOptions, "explain"> {
  /** Headers that are added to the browser's handshake response. */
  readonly headers: Readonly<Record<string, string>>;
  readonly threads: StreamThreads;
}

/** Sends the browser's handshake response to the client, and joins both sockets. */
export function spliceClient(
  { socket, head, request }: Pick<Upgrade, "socket" | "head" | "request">,
  { socket: upstream, response }: HandshakeResult,
  { headers, threads, explain }: SpliceClientOptions,
): JoinedStream {
  const toClient = appendHeaders(response, headers);
  const headLength = findHeadEnd(toClient);
  return threads.join(socket, upstream, {
    first: { toClient, headLength, toBrowser: head },
    pings: supportsPings(request),
    explain,
  });
}

/** Returns the length of the head of an HTTP response, including the empty line at its end. */
function findHeadEnd(response: Uint8Array): number {
  return Buffer.from(response).indexOf("\r\n\r\n") + 4;
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
