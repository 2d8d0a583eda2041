import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { toSocketHost } from "../../core/network.ts";
import type { RunningBrowser } from "../../core/provider.ts";

/** Number of response bytes that contain the status. */
const STATUS_BYTES = 12;

/**
 * Requests a browser's version, and resolves when its main process responds. The main process responds even if its
 * pages are busy with an endless script, a debugger's pause or an open dialog.
 *
 * @throws {Error} The failure, or the signal's reason. The caller decides how long a browser may be silent.
 */
export async function probeBrowser(
  { endpoint, socketPath }: Pick<RunningBrowser, "endpoint" | "socketPath">,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = socketPath === undefined
    ? connect(Number(endpoint.port || 80), toSocketHost(endpoint))
    : connect(socketPath);
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  let response = "";
  socket.on("data", (chunk) => {
    response += Buffer.from(chunk).toString("latin1");
    if (response.length < STATUS_BYTES) return;
    // A proxy in between may respond in the browser's place.
    const isServed = /^HTTP\/1\.[01] [1-4]/.test(response);
    if (isServed) resolve();
    else reject(new Error("another server responds in its place"));
  });
  socket.on("error", reject);
  socket.on("close", () => reject(new Error("it closes connections")));
  socket.write(
    `GET /json/version HTTP/1.1\r\nHost: ${endpoint.host}\r\nConnection: close\r\n\r\n`,
  );
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.destroy();
  }
}
