import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import {
  LIVE_PROTOCOL,
  MAX_UPLOAD_BYTES,
  TOKEN_PROTOCOL,
} from "../../apps/live/schemas/live_messages.ts";

/** Maximum length of a message of a viewer without the right to control: `tab`, the longest, has some 130 bytes. */
const MAX_VIEW_MESSAGE_BYTES = 4_096;

/** Opens the WebSockets of viewers. Only those that may control the browser can send a file. */
export class ViewerSockets {
  readonly #servers = {
    view: createServer(MAX_VIEW_MESSAGE_BYTES),
    control: createServer(MAX_UPLOAD_BYTES),
  };

  /** Completes the handshake. Returns undefined if the client has disconnected or its handshake is invalid. */
  accept(
    { request, socket, head }: {
      readonly request: IncomingMessage;
      readonly socket: Duplex;
      readonly head: Uint8Array;
    },
    mode: "view" | "control",
  ): WebSocket | undefined {
    if (socket.destroyed) return undefined;
    let accepted: WebSocket | undefined;
    // Responds itself to an invalid handshake.
    this.#servers[mode].handleUpgrade(
      request,
      socket,
      Buffer.from(head),
      (opened) => {
        accepted = opened;
      },
    );
    return accepted;
  }
}

function createServer(maxPayload: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    // Pictures are compressed already.
    perMessageDeflate: false,
    maxPayload,
    // The token of a link is never repeated in a response.
    handleProtocols: (protocols) =>
      protocols.has(LIVE_PROTOCOL) ? LIVE_PROTOCOL : false,
  });
}

/** Reads the token of a link in the subprotocols of a handshake. */
export function readLinkToken({ headers }: IncomingMessage): string {
  const offered = headers["sec-websocket-protocol"] ?? "";
  return offered.split(",").map((name) => name.trim())
    .find((name) => name.startsWith(TOKEN_PROTOCOL))
    ?.slice(TOKEN_PROTOCOL.length) ?? "";
}
