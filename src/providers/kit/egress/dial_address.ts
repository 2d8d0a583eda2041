import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Timeout of one address, after which the next is tried. */
const ADDRESS_MS = 5_000;

/** Connects to the first of `addresses` that accepts the connection. @throws The error of the last address. */
export async function dialAddress(
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  let failure: unknown = new Error("there is no address");
  for (const host of addresses) {
    signal.throwIfAborted();
    const socket = connect({ host, port, noDelay: true, keepAlive: true });
    // Also after the connection, until the caller adds its own listener.
    socket.on("error", () => socket.destroy());
    const late = setTimeout(
      () => socket.destroy(new Error("it does not respond in time")),
      ADDRESS_MS,
    );
    try {
      await once(socket, "connect", { signal });
      return socket;
    } catch (error) {
      failure = error;
      socket.destroy();
    } finally {
      clearTimeout(late);
    }
  }
  throw failure;
}
