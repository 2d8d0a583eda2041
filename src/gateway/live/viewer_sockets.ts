import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import {
  LIVE_PROTOCOL,
  MAX_UPLOAD_BYTES,
  TOKEN_PROTOCOL,
} from "../../apps/live/schemas/live_messages.ts";

/** Opens the WebSockets of viewers. */
export class ViewerSockets {
  readonly #server = new WebSocketServer({
    noServer: true,
    // Pictures are compressed already.
    perMessageDeflate: false,
    maxPayload: MAX_UPLOAD_BYTES,
    // The token of a link is never repeated in a response.
    handleProtocols: (protocols) =>
      protocols.has(LIVE_PROTOCOL) ? LIVE_PROTOCOL : false,
  });

  /** Completes the handshake. Returns undefined if the client has disconnected or its handshake is invalid. */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
  ): WebSocket | undefined {
    if (socket.destroyed) return undefined;
    let accepted: WebSocket | undefined;
    // Responds itself to an invalid handshake.
    this.#server.handleUpgrade(request, socket, Buffer.from(head), (opened) => {
      accepted = opened;
    });
    return accepted;
  }
}

/** Reads the token of a link in the subprotocols of a handshake. */
export function readLinkToken({ headers }: IncomingMessage): string {
  const offered = headers["sec-websocket-protocol"] ?? "";
  return offered.split(",").map((name) => name.trim())
    .find((name) => name.startsWith(TOKEN_PROTOCOL))
    ?.slice(TOKEN_PROTOCOL.length) ?? "";
}
