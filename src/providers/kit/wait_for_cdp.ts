import { Buffer } from "node:buffer";
import { get, type IncomingMessage } from "node:http";
import { z } from "zod";
import { systemClock } from "../../async/clock.ts";
import { Watchdog } from "../../async/watchdog.ts";

/** Pause between two requests: short, because a start ends with the first response. */
const POLL_INTERVAL_MS = 20;

/** Default timeout of one request. */
const RESPONSE_TIMEOUT_MS = 2_000;

/** Maximum size of a response. */
const MAX_BYTES = 64 * 1_024;

const versionSchema = z.object({
  Browser: z.string(),
  webSocketDebuggerUrl: z.url(),
});

/** A browser that serves CDP. */
export interface CdpReady {
  /** WebSocket URL of the browser target. */
  readonly endpoint: URL;
  /** Product and version, such as `Chrome/126.0.6478.55`. */
  readonly product: string;
}

/** Options of {@linkcode waitForCdp}. */
export interface CdpWaitOptions {
  readonly timeoutMs: number;
  /** Timeout of one request. @default {2_000} */
  readonly responseTimeoutMs?: number;
  /** Path of the unix socket to connect to, in place of the address. */
  readonly socketPath?: string | undefined;
  /** Aborted if the session is no longer wanted or the browser has ended. */
  readonly signal: AbortSignal;
}

/**
 * Requests `/json/version` from `address` (`http://host:port`) until a browser responds.
 *
 * @throws The signal's reason, or an error after `timeoutMs`.
 */
export async function waitForCdp(
  address: URL,
  options: CdpWaitOptions,
): Promise<CdpReady> {
  const { timeoutMs, signal } = options;
  const lateAt = systemClock.monotonic() + timeoutMs;
  while (systemClock.monotonic() < lateAt) {
    signal.throwIfAborted();
    const ready = await requestVersion(address, options);
    if (ready) return ready;
    await systemClock.sleep(POLL_INTERVAL_MS, signal);
  }
  throw new Error(
    `the browser did not answer CDP within ${timeoutMs / 1000} s`,
  );
}

async function requestVersion(
  address: URL,
  { responseTimeoutMs = RESPONSE_TIMEOUT_MS, socketPath, signal }:
    CdpWaitOptions,
): Promise<CdpReady | undefined> {
  using timeout = new Watchdog(responseTimeoutMs);
  try {
    const url = new URL("/json/version", address);
    const either = AbortSignal.any([signal, timeout.signal]);
    const text = await getDirectly(url, either, socketPath);
    const version = versionSchema.parse(JSON.parse(text));
    const endpoint = new URL(version.webSocketDebuggerUrl);
    // The browser returns its listening address, which may differ from the reachable one.
    endpoint.host = address.host;
    return { endpoint, product: version.Browser };
  } catch {
    return undefined;
  }
}

/**
 * Returns the body of a GET request to an http: URL, sent without the proxies of the environment, which `fetch` would
 * use: browsers run on this machine or its network.
 *
 * @throws {Error} If the response is not 200 with at most 64 KiB, or `signal` is aborted.
 */
function getDirectly(
  url: URL,
  signal: AbortSignal,
  socketPath: string | undefined,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = get(
    url,
    { agent: false, signal, ...(socketPath && { socketPath }) },
    read,
  );
  request.on("error", reject);
  return promise;

  function read(response: IncomingMessage): void {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    response.on("error", reject);
    response.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > MAX_BYTES) {
        request.destroy(new Error("the response is too long"));
      }
    });
    response.on("end", () => {
      const { statusCode } = response;
      if (statusCode === 200) resolve(Buffer.concat(chunks).toString());
      else reject(new Error(`it responds with ${statusCode}`));
    });
  }
}
