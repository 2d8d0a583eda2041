import type { IncomingMessage, ServerResponse } from "node:http";

/** Longest time for the rest of a body to come. */
const DISCARD_MS = 500;

/**
 * Reads away what a handler left unread of a request's body, so that the connection can carry the next request.
 *
 * A client that takes longer than half a second over it loses the connection. Node does this itself, Deno does not;
 * the listener's own way is not used because its timers outlive the connection.
 */
export function discardBody(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const { socket } = incoming;
  outgoing.once("finish", () => {
    if (incoming.readableEnded) return;
    if (incoming.destroyed) {
      // Given up half-way, its rest would stand before the next request for ever.
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
    // Who has begun to read it would stop it again: nobody takes what it has.
    incoming.removeAllListeners("data");
    incoming.resume();
  });
}
