import { connect } from "node:net";
import WebSocket from "ws";
import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";

/**
 * Asks a browser behind a unix socket to close. Resolves when it has closed the connection, cannot be reached, or the
 * monotonic clock reaches `until`.
 *
 * @see {@link https://chromedevtools.github.io/devtools-protocol/tot/Browser/#method-close Browser.close}
 */
export async function askBox(
  socketPath: string,
  { pathname }: URL,
  until: number,
): Promise<void> {
  using late = deadline(systemClock, until - systemClock.monotonic());
  const socket = new WebSocket(`ws://127.0.0.1${pathname}`, {
    createConnection: () => connect(socketPath),
    perMessageDeflate: false,
  });
  const { promise: over, resolve } = Promise.withResolvers<void>();
  socket.on("error", () => resolve());
  socket.once("close", () => resolve());
  socket.once("open", () => {
    socket.send(JSON.stringify({ id: 1, method: "Browser.close" }));
  });
  late.signal.addEventListener("abort", () => resolve(), { once: true });
  await over;
  socket.terminate();
}
