import type { Duplex } from "node:stream";

/** Returns a signal that is aborted when a socket that is not read yet is closed. */
export function abortOnClose(socket: Duplex): AbortSignal {
  const closed = new AbortController();
  socket.once("close", () => closed.abort());
  // Bytes before the response violate the protocol, so the end is the next event of a client that disconnects.
  socket.once("end", () => closed.abort());
  return closed.signal;
}
