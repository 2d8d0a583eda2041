// The runtime's WebSocket would use the proxies of the environment.
import { WebSocket } from "ws";
import { type Clock, systemClock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";

/** How {@linkcode waitForHangUp} talks. */
export interface CdpSocketOptions {
  /** Aborted when nobody waits any more; it is hung up then. */
  readonly signal: AbortSignal;
  /** Sent when the browser has answered the call. */
  readonly message?: string;
}

/** Calls the browser at `endpoint` and resolves when it hangs up, cannot be reached, or `signal` is aborted. */
export async function waitForHangUp(
  endpoint: URL,
  { signal, message }: CdpSocketOptions,
): Promise<void> {
  if (signal.aborted) return;
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const onEnd = () => resolve();
  const socket = new WebSocket(endpoint);
  socket.onopen = () => {
    if (message !== undefined) socket.send(message);
  };
  socket.onclose = onEnd;
  socket.onerror = onEnd;
  signal.addEventListener("abort", onEnd, { once: true });
  await over;
  signal.removeEventListener("abort", onEnd);
  socket.close();
}

/**
 * Asks the browser at `endpoint` to close. Resolves when it has hung up, or `graceMs` are over, or it cannot be reached:
 * whether it is gone is for the caller to see.
 *
 * @see {@link https://chromedevtools.github.io/devtools-protocol/tot/Browser/#method-close Browser.close}
 */
export async function closeBrowser(
  endpoint: URL,
  graceMs: number,
  clock: Clock = systemClock,
): Promise<void> {
  using late = deadline(clock, graceMs);
  const message = JSON.stringify({ id: 1, method: "Browser.close" });
  await waitForHangUp(endpoint, { signal: late.signal, message });
}
