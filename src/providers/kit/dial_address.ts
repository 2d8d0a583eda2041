import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Longest wait for one address, so that the next is tried in time. */
const ADDRESS_MS = 5_000;

/** Connects to the first of `addresses` that takes the connection. @throws What the last of them failed with. */
export async function dialAddress(
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  let failure: unknown = new Error("there is no address");
  for (const host of addresses) {
    signal.throwIfAborted();
    const socket = connect({ host, port, noDelay: true, keepAlive: true });
    // Also after it is connected, until somebody else hears of it.
    socket.on("error", () => socket.destroy());
    const late = setTimeout(
      () => socket.destroy(new Error("it does not answer in time")),
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
