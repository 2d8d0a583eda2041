import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** Constant of the WebSocket handshake. @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-1.3 RFC 6455, 1.3} */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Returns the headers of a request for a byte stream, in the form of a WebSocket handshake that proxies forward. */
export function createHandshakeHeaders(): Readonly<Record<string, string>> {
  return {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": crypto.getRandomValues(new Uint8Array(16)).toBase64(),
  };
}

/** Accepts a request for a byte stream. `head` is read first from the socket, which stays paused. */
export function acceptByteStream(
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
): void {
  const key = request.headers["sec-websocket-key"] ?? "";
  const accept = createHash("sha1").update(key + GUID).digest("base64");
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" +
      `Upgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
}
