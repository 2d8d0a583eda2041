import type { IncomingMessage, ServerResponse } from "node:http";

/** Maximum time for the rest of a body to arrive. */
const DISCARD_MS = 500;

/**
 * Discards the part of a request's body that a handler has not read, so that the connection can carry the next request.
 *
 * If that takes longer than 500 ms, the connection is closed. Node does the same, but Deno does not. The listener's
 * option for it is not used, because its timers outlive the connection.
 */
export function discardBody(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const { socket } = incoming;
  outgoing.once("finish", () => {
    if (incoming.readableEnded) return;
    if (incoming.destroyed) {
      // The rest of an abandoned body would block the next request.
      if (!incoming.complete) socket.destroySoon();
      return;
    }
    const timer = setTimeout(() => socket.destroySoon(), DISCARD_MS);
    const done = () => {
      clearTimeout(timer);
      socket.off("close", done);
    };
    socket.once("close", done);
    incoming.once("end", done);
    // A paused reader would stop the stream again.
    incoming.removeAllListeners("data");
    incoming.resume();
  });
}
