import type { WebSocket } from "ws";
import type { Clock } from "../async/clock.ts";
import { every } from "../async/every.ts";

/** Interval of the pings, below the minute after which load balancers close silent connections. */
const PING_MS = 20_000;

/** Pings a WebSocket until disposed, and terminates it if there was no pong since the last ping. */
export function watchSocket(socket: WebSocket, clock: Clock): AsyncDisposable {
  let hasPong = true;
  socket.on("pong", () => hasPong = true);
  return every(() => {
    if (!hasPong) socket.terminate();
    else if (socket.readyState === socket.OPEN) {
      hasPong = false;
      socket.ping();
    }
    return Promise.resolve();
  }, { clock, periodMs: PING_MS });
}
