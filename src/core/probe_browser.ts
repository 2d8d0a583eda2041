import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { hostName } from "./host_name.ts";
import type { RunningBrowser } from "./provider.ts";

/** Enough of a response to read its status. */
const STATUS_BYTES = 12;

/** Where a browser is probed. */
export interface ProbedBrowser extends Pick<RunningBrowser, "endpoint"> {
  /** Path of the unix socket that it listens on instead of its endpoint's address. */
  readonly socketPath?: string;
}

/**
 * Asks a browser for its version, and resolves when its main process responds. That one does so whatever its pages are
 * busy with: an endless script, a debugger's pause, an open dialog.
 *
 * @throws {Error} What is wrong, or the signal's reason: how long a browser may be silent is for the caller to say.
 */
export async function probeBrowser(
  { endpoint, socketPath }: ProbedBrowser,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = socketPath === undefined
    ? connect(Number(endpoint.port || 80), hostName(endpoint))
    : connect(socketPath);
  const giveUp = () => reject(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  let response = "";
  socket.on("data", (chunk) => {
    response += Buffer.from(chunk).toString("latin1");
    if (response.length < STATUS_BYTES) return;
    // What stands between may respond in the browser's place.
    const isServed = /^HTTP\/1\.[01] [1-4]/.test(response);
    if (isServed) resolve();
    else reject(new Error("something else responds in its place"));
  });
  socket.on("error", reject);
  socket.on("close", () => reject(new Error("it closes connections")));
  socket.write(
    `GET /json/version HTTP/1.1\r\nHost: ${endpoint.host}\r\nConnection: close\r\n\r\n`,
  );
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", giveUp);
    socket.destroy();
  }
}
