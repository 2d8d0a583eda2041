/**
 * Requests to the API server over `node:https`, which does not use the proxies of the environment and takes the
 * certificates of a kubeconfig. A token never is part of an error or a log.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request as requestHttp,
} from "node:http";
import { Agent as TlsAgent, request as requestHttps } from "node:https";
import { systemClock } from "../../../async/clock.ts";
import { Watchdog } from "../../../async/watchdog.ts";
import { ApiError, apiStatus, ConnectionError } from "./api_error.ts";
import type { Cluster } from "./cluster.ts";
import { statusSchema } from "./objects.ts";

/** Default timeout of a request until its response is read. */
const TIMEOUT_MS = 30_000;

/** Maximum size of a response: a page of 100 pods is much smaller. */
const MAX_BYTES = 16 * 2 ** 20;

/** Maximum size of an error response. */
const MAX_ERROR_BYTES = 65_536;

/** Number of attempts of a request that the server rejects for a time, and the pauses between them. */
const ATTEMPTS = 4;
const RETRY_MS = 250;
const MAX_RETRY_MS = 10_000;

/** Responses after which a request is repeated. */
const TEMPORARY: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/** Pause between probes of an idle connection, such as a watch, after which a broken one is noticed. */
const KEEP_ALIVE = [true, 30_000] as const;

/** A request to the API server. */
export interface ApiRequest {
  /** @default {"GET"} */
  readonly method?: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** Limits of a request. */
export interface ApiLimits {
  readonly signal?: AbortSignal | undefined;
  /** Timeout of each attempt. @default {30_000} */
  readonly timeoutMs?: number;
  /** @default {true} */
  readonly retries?: boolean;
}

/** Sends requests to one cluster. */
export class Transport {
  readonly #cluster: Cluster;
  /** One connection per request: when a kept connection breaks, Deno repeats its request, which would run twice. */
  readonly #agent: Agent;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#agent = cluster.server.protocol === "https:"
      ? new TlsAgent({ keepAlive: false, ...definedOnly(cluster.tls) })
      : new Agent({ keepAlive: false });
  }

  /**
   * Sends a request and returns the text of its response. Repeats it if the server rejects it for a time.
   *
   * @throws {ApiError | ConnectionError} Or the signal's reason.
   */
  async send(request: ApiRequest, limits: ApiLimits = {}): Promise<string> {
    const { signal, retries = true } = limits;
    for (let attempt = 1;; attempt++) {
      signal?.throwIfAborted();
      try {
        return await this.#sendOnce(request, limits);
      } catch (error) {
        signal?.throwIfAborted();
        const pause = retries ? findRetryPauseMs(error, attempt) : undefined;
        if (pause === undefined) throw error;
        await systemClock.sleep(pause, signal);
      }
    }
  }

  /**
   * Sends a request and returns its response as soon as it begins. Aborting `signal` also ends the response.
   *
   * @throws {ApiError | ConnectionError} Or the signal's reason.
   */
  async open(
    request: ApiRequest,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const response = await this.#request(request, signal, {
      isRejected: false,
    });
    if (response.statusCode !== 401 || this.#cluster.token === undefined) {
      return await acceptResponse(response);
    }
    // The token has expired before its file was read again.
    response.destroy();
    return await acceptResponse(
      await this.#request(request, signal, { isRejected: true }),
    );
  }

  /** Returns what a WebSocket to the API server needs. */
  async webSocketOptions(
    path: string,
  ): Promise<{ readonly url: URL; readonly options: Record<string, unknown> }> {
    const url = this.#url(path, {});
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return {
      url,
      options: {
        ...definedOnly(this.#cluster.tls),
        headers: await this.#headers({ isRejected: false }),
      },
    };
  }

  async #sendOnce(
    request: ApiRequest,
    { signal, timeoutMs = TIMEOUT_MS }: ApiLimits,
  ): Promise<string> {
    using timeout = new Watchdog(
      timeoutMs,
      (ms) => `the API server did not answer within ${ms / 1_000} s`,
    );
    const signals = [timeout.signal, ...(signal ? [signal] : [])];
    const either = AbortSignal.any(signals);
    try {
      return await readText(await this.open(request, either), MAX_BYTES);
    } catch (error) {
      throw either.aborted ? either.reason : error;
    }
  }

  async #request(
    { method = "GET", path, query = {}, body }: ApiRequest,
    signal: AbortSignal,
    token: { readonly isRejected: boolean },
  ): Promise<IncomingMessage> {
    const url = this.#url(path, query);
    const payload = body === undefined
      ? undefined
      : new TextEncoder().encode(JSON.stringify(body));
    const headers = {
      accept: "application/json",
      "user-agent": "browsergrid",
      ...(payload && {
        "content-type": "application/json",
        "content-length": String(payload.length),
      }),
      ...await this.#headers(token),
    };
    signal.throwIfAborted();
    const options = { method, headers, agent: this.#agent, signal };
    const send = url.protocol === "https:" ? requestHttps : requestHttp;
    const { promise, resolve, reject } = Promise.withResolvers<
      IncomingMessage
    >();
    const request: ClientRequest = send(url, options, resolve);
    request.on("socket", (socket) => socket.setKeepAlive(...KEEP_ALIVE));
    request.on("error", reject);
    request.end(payload);
    try {
      return await promise;
    } catch (error) {
      throw signal.aborted ? signal.reason : new ConnectionError(error);
    }
  }

  #url(path: string, query: Readonly<Record<string, string>>): URL {
    const { server } = this.#cluster;
    const url = new URL(server);
    // Some servers, such as Rancher's, have a path.
    url.pathname = `${server.pathname.replace(/\/$/, "")}${path}`;
    url.search = new URLSearchParams(query).toString();
    return url;
  }

  async #headers(
    rejection: { readonly isRejected: boolean },
  ): Promise<Record<string, string>> {
    const { token } = this.#cluster;
    return token === undefined
      ? {}
      : { authorization: `Bearer ${await token.read(rejection)}` };
  }
}

/** Returns the pause before a request that the server rejects for a time is repeated; undefined if it is not. */
export function findRetryPauseMs(
  error: unknown,
  attempt: number,
): number | undefined {
  if (!TEMPORARY.has(apiStatus(error) ?? 0) || attempt >= ATTEMPTS) {
    return undefined;
  }
  const requested = error instanceof ApiError ? error.retryAfterMs : undefined;
  return Math.min(requested ?? RETRY_MS * 2 ** attempt, MAX_RETRY_MS);
}

function definedOnly(options: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
}

/** Returns a successful response. @throws {ApiError} For others. */
async function acceptResponse(
  response: IncomingMessage,
): Promise<IncomingMessage> {
  const { statusCode: status = 0 } = response;
  if (status >= 200 && status < 300) return response;
  throw toApiError(response, await readText(response, MAX_ERROR_BYTES));
}

function toApiError(response: IncomingMessage, text: string): ApiError {
  const { statusCode: status = 0, headers } = response;
  const parsed = statusSchema.safeParse(parseJson(text));
  const seconds = Number(
    headers["retry-after"] ?? parsed.data?.details?.retryAfterSeconds ?? NaN,
  );
  return new ApiError({
    status,
    reason: parsed.data?.reason ?? "",
    message: parsed.data?.message ?? `the API server responds with ${status}`,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1_000 : undefined,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads the text of a response. @throws {Error} If it breaks off or is longer than `maxBytes`. */
async function readText(
  response: IncomingMessage,
  maxBytes: number,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new Error(`it responds with more than ${maxBytes} bytes`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw new ConnectionError(error);
  }
  return Buffer.concat(chunks).toString();
}
