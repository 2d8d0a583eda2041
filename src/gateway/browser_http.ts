import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { createStreamAgent, type Dialer } from "./dialer.ts";

/** Longest answer that is read: what the protocol's description has is a tenth of it. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Timeout of a browser's response over HTTP: less than the 30 s after which clients and load balancers give up. */
export const RESPONSE_MS = 25_000;

/** What a browser is asked over HTTP. */
export interface BrowserRequest {
  /** @default {"GET"} */
  readonly method?: "GET" | "PUT";
  /** With its query. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** What a browser answers. */
export interface BrowserResponse {
  readonly status: number;
  readonly body: string;
}

/** Asks one of a browser's HTTP endpoints, on a stream of its own. Rejects when there is no answer. */
export async function requestBrowser(
  dialer: Dialer,
  { method = "GET", path, signal }: BrowserRequest,
): Promise<BrowserResponse> {
  const stream = await dialer.dial(signal);
  const giveUp = () => stream.destroy();
  signal.addEventListener("abort", giveUp);
  try {
    const asked = request({
      method,
      path,
      headers: { host: dialer.url.host, connection: "close" },
      agent: createStreamAgent(stream),
    });
    // After the timeout nothing else listens, and an unhandled error would end the process.
    asked.on("error", () => {});
    asked.end();
    const [answer]: IncomingMessage[] = await once(asked, "response", {
      signal,
    });
    if (!answer) throw new Error("no answer");
    return { status: answer.statusCode ?? 0, body: await readBody(answer) };
  } finally {
    signal.removeEventListener("abort", giveUp);
    stream.destroy();
  }
}

async function readBody(answer: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new Error("the answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
