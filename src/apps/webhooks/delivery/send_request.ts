import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as requestHttp,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { toSocketHost } from "../../../core/network.ts";

/** Maximum size of the stored part of a response. */
const MAX_RESPONSE_BYTES = 4_096;

/** A request whose name is resolved. */
export interface TargetRequest {
  readonly url: URL;
  /** Address that is connected to. */
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** A response: its status and the start of its body. */
export interface TargetResponse {
  readonly status: number;
  readonly text: string;
}

/** Sends a request to an address. Tests replace it. */
export type SendRequest = (request: TargetRequest) => Promise<TargetResponse>;

/** Time after which an idle connection is closed: shorter than receivers wait, which otherwise close it during a request. */
const IDLE_MS = 2_000;

/** Maximum number of idle connections to one address. */
const MAX_IDLE = 10;

const CONNECTIONS = {
  keepAlive: true,
  timeout: IDLE_MS,
  maxFreeSockets: MAX_IDLE,
};

/** Sends requests over connections that stay open for the next ones, until disposed. */
export class RequestSender implements AsyncDisposable {
  readonly #agents = {
    http: new HttpAgent(CONNECTIONS),
    https: new HttpsAgent(CONNECTIONS),
  };

  /** Closes all connections, and waits until they are closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const agents = Object.values(this.#agents);
    const sockets = agents.flatMap(({ sockets, freeSockets }) =>
      [sockets, freeSockets].flatMap((each) => Object.values(each).flat())
    );
    const closed = sockets.map((socket) =>
      new Promise<void>((resolve) => {
        if (!socket || socket.closed) resolve();
        else socket.once("close", () => resolve());
      })
    );
    for (const agent of agents) agent.destroy();
    await Promise.all(closed);
  }

  /**
   * Sends a POST request to `address`, with the name of the URL in `Host` and, for https, as the name that the certificate
   * must have. Redirects are responses like others.
   *
   * @throws The error of the connection, or the reason of the signal if it is aborted before the head of the response.
   */
  async send(target: TargetRequest): Promise<TargetResponse> {
    target.signal.throwIfAborted();
    const agent = target.url.protocol === "https:"
      ? this.#agents.https
      : this.#agents.http;
    const first = startRequest(target, agent);
    try {
      return await receive(first, target);
    } catch (error) {
      // The receiver may have closed an idle connection just now.
      if (!first.reusedSocket || target.signal.aborted) throw error;
      return await receive(startRequest(target), target);
    }
  }
}

/** Sends a request, without an agent over a connection of its own. */
function startRequest(
  { url, address, headers, body }: TargetRequest,
  agent?: HttpAgent,
): ClientRequest {
  const isSecure = url.protocol === "https:";
  const bytes = new TextEncoder().encode(body);
  const name = toSocketHost(url);
  const request = (isSecure ? requestHttps : requestHttp)({
    method: "POST",
    host: address,
    port: url.port || (isSecure ? 443 : 80),
    path: url.pathname + url.search,
    // A certificate of an address has no name to ask for.
    ...(isSecure && isIP(name) === 0 ? { servername: name } : {}),
    headers: {
      ...headers,
      host: url.host,
      "content-length": String(bytes.length),
    },
    agent: agent ?? false,
  });
  request.end(bytes);
  return request;
}

/** Returns the response, whose connection stays open if its whole body was read. */
async function receive(
  request: ClientRequest,
  { signal }: TargetRequest,
): Promise<TargetResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<TargetResponse>();
  let isWhole = false;
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  request.on("error", reject);
  request.on("response", (response) => {
    signal.removeEventListener("abort", abort);
    void readStart(response, signal).then((text) => {
      isWhole = response.readableEnded;
      resolve({ status: response.statusCode ?? 0, text });
    });
  });
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
    if (!isWhole) request.destroy();
  }
}

/** Returns the start of a body. A slow one is cut off, and no failure: the status is known. */
async function readStart(
  response: IncomingMessage,
  signal: AbortSignal,
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const chunks: Uint8Array[] = [];
  let size = 0;
  response.on("data", (chunk: Uint8Array) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_RESPONSE_BYTES) resolve();
  });
  for (const event of ["end", "error", "close"]) response.on(event, resolve);
  const cut = () => resolve();
  signal.addEventListener("abort", cut, { once: true });
  if (signal.aborted) cut();
  await promise;
  signal.removeEventListener("abort", cut);
  return decode(chunks);
}

/** Returns the text of the start of a response as the database stores it. */
function decode(chunks: readonly Uint8Array[]): string {
  const bytes = new Uint8Array(MAX_RESPONSE_BYTES);
  let size = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, MAX_RESPONSE_BYTES - size);
    bytes.set(part, size);
    size += part.length;
  }
  return new TextDecoder().decode(bytes.subarray(0, size)).replaceAll("\0", "");
}
