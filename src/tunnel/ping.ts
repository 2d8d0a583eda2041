import type { WebSocket } from "ws";
import type { Clock } from "../async/clock.ts";
import { every } from "../async/every.ts";

/** How often a WebSocket is pinged: below the minute after which load balancers close what is silent. */
const PING_MS = 20_000;

/** Pings a WebSocket, and ends it when the other side has not answered the last ping, until disposed. */
export function watchSocket(socket: WebSocket, clock: Clock): AsyncDisposable {
  let isAnswered = true;
  socket.on("pong", () => isAnswered = true);
  return every(() => {
    if (!isAnswered) socket.terminate();
    else if (socket.readyState === socket.OPEN) {
      isAnswered = false;
      socket.ping();
    }
    return Promise.resolve();
  }, { clock, periodMs: PING_MS });
}
