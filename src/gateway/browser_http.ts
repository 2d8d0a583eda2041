import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { createStreamAgent, type Dialer } from "./dialer.ts";

/** Maximum length of a response in bytes, ten times the length of the protocol's description. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Timeout of a browser's HTTP response, shorter than the 30 s timeout of common clients and load balancers. */
export const RESPONSE_MS = 25_000;

/** A request to one of a browser's HTTP endpoints. */
export interface BrowserRequest {
  /** @default {"GET"} */
  readonly method?: "GET" | "PUT";
  /** Path with the query. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** A browser's HTTP response. */
export interface BrowserResponse {
  readonly status: number;
  readonly body: string;
}

/** Sends a request to a browser on a new stream. Rejects if the browser does not respond. */
export async function requestBrowser(
  dialer: Dialer,
  { method = "GET", path, signal }: BrowserRequest,
): Promise<BrowserResponse> {
  const stream = await dialer.dial(signal);
  const onAbort = () => stream.destroy();
  signal.addEventListener("abort", onAbort);
  try {
    const outgoing = request({
      method,
      path,
      headers: { host: dialer.url.host, connection: "close" },
      agent: createStreamAgent(stream),
    });
    // After the timeout there is no other listener, and an unhandled error would end the process.
    outgoing.on("error", () => {});
    outgoing.end();
    const [response]: IncomingMessage[] = await once(outgoing, "response", {
      signal,
    });
    if (!response) throw new Error("no response");
    return { status: response.statusCode ?? 0, body: await readBody(response) };
  } finally {
    signal.removeEventListener("abort", onAbort);
    stream.destroy();
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new Error("the response is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
