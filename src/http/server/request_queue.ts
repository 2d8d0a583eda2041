import type {
  IncomingMessage,
  RequestListener,
  ServerResponse,
} from "node:http";
import type { Socket } from "node:net";

/** Maximum number of waiting requests of a connection; one more closes it. Pipelining clients send far fewer. */
const MAX_WAITING = 256;

/**
 * Serves the requests of each connection sequentially, each after the previous response has left this process.
 *
 * A client may send thousands of requests at once and read no response. If they were served concurrently, all responses
 * would be in memory together.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-9.3.2 RFC 9112, 9.3.2}: responses are in the order of the requests.
 */
export function serveInOrder(serve: RequestListener): RequestListener {
  /** Waiting requests by connection. Absent while no request of the connection is being served. */
  const queues = new WeakMap<Socket, (() => void)[]>();
  return function serveInTurn(incoming, outgoing) {
    const { socket } = incoming;
    const start = () => {
      outgoing.once("close", () => next(socket));
      serve(incoming, outgoing);
    };
    const queue = queues.get(socket);
    if (queue === undefined) {
      queues.set(socket, []);
      start();
    } else if (queue.length < MAX_WAITING) queue.push(start);
    else socket.destroy();
  };

  function next(socket: Socket): void {
    const start = queues.get(socket)?.shift();
    if (start === undefined) queues.delete(socket);
    else if (!socket.destroyed) start();
  }
}

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
    // A paused reader would stop the stream again.
    incoming.removeAllListeners("data");
    incoming.resume();
    if (incoming.complete) return;
    const timer = setTimeout(() => socket.destroySoon(), DISCARD_MS);
    const done = () => {
      clearTimeout(timer);
      socket.off("close", done);
    };
    socket.once("close", done);
    incoming.once("end", done);
  });
}
