import { connect } from "node:net";
// The runtime's WebSocket would use the proxies of the environment.
import WebSocket from "ws";
import { type Clock, systemClock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import type { RunningBrowser } from "../../core/provider.ts";

/** The address of a browser: its endpoint, or the unix socket that it listens on instead. */
type BrowserAddress = Pick<RunningBrowser, "endpoint" | "socketPath">;

/** Options of {@linkcode waitForHangUp}. */
export interface CdpSocketOptions {
  /** Ends the wait and the connection. */
  readonly signal: AbortSignal;
  /** Message to send when the connection is open. */
  readonly message?: string;
}

/** Connects to a browser and resolves when it closes the connection, cannot be reached, or `signal` is aborted. */
export async function waitForHangUp(
  { endpoint, socketPath }: BrowserAddress,
  { signal, message }: CdpSocketOptions,
): Promise<void> {
  if (signal.aborted) return;
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const onEnd = () => resolve();
  const perMessageDeflate = false;
  const socket = socketPath === undefined
    ? new WebSocket(endpoint, { perMessageDeflate })
    : new WebSocket(`ws://127.0.0.1${endpoint.pathname}`, {
      perMessageDeflate,
      createConnection: () => connect(socketPath),
    });
  socket.onopen = () => {
    if (message !== undefined) socket.send(message);
  };
  socket.onclose = onEnd;
  socket.onerror = onEnd;
  signal.addEventListener("abort", onEnd, { once: true });
  await over;
  signal.removeEventListener("abort", onEnd);
  socket.terminate();
}

/**
 * Asks a browser to close. Resolves when it has closed the connection, cannot be reached, or `graceMs` have passed. The
 * caller must check whether the browser has ended.
 *
 * @see {@link https://chromedevtools.github.io/devtools-protocol/tot/Browser/#method-close Browser.close}
 */
export async function closeBrowser(
  browser: BrowserAddress,
  graceMs: number,
  clock: Clock = systemClock,
): Promise<void> {
  using late = deadline(clock, graceMs);
  const message = JSON.stringify({ id: 1, method: "Browser.close" });
  await waitForHangUp(browser, { signal: late.signal, message });
}
