import { Buffer } from "node:buffer";
import { get, type IncomingMessage } from "node:http";
import { Watchdog } from "../../../async/watchdog.ts";

/** Default timeout of a request, with the whole response. */
const TIMEOUT_MS = 30_000;

/** Maximum size of a response: a page of container groups has about 1 MB. */
const MAX_BYTES = 8 * 2 ** 20;

/** A request to a service of Azure. */
export interface HttpRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @default {30_000} */
  readonly timeoutMs?: number | undefined;
}

/** A whole response. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * Sends a request, through the proxies of the environment. Redirects are not followed, because they would receive the
 * token.
 *
 * @throws {Error} If there is no response in time, or one of more than 8 MB; or the reason of the signal.
 */
export function sendRequest(request: HttpRequest): Promise<HttpResponse> {
  return withTimeout(request, async (signal) => {
    const { method, url, headers = {}, body } = request;
    const response = await fetch(url, {
      method,
      headers: { ...headers },
      redirect: "manual",
      signal,
      ...(body === undefined ? {} : { body }),
    });
    const { status } = response;
    const text = await readText(response.body ?? []);
    return { status, headers: response.headers, text };
  });
}

/**
 * Sends a GET request to an http: URL without the proxies of the environment, which would receive the tokens of the
 * host's metadata service.
 *
 * @throws {Error} As {@linkcode sendRequest}.
 */
export function getWithoutProxy(
  request: Omit<HttpRequest, "method" | "body">,
): Promise<HttpResponse> {
  return withTimeout(request, async (signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<
      IncomingMessage
    >();
    const headers = { ...request.headers };
    get(request.url, { agent: false, signal, headers }, resolve)
      .on("error", reject);
    const response = await promise;
    const text = await readText(response);
    return {
      status: response.statusCode ?? 0,
      headers: toHeaders(response),
      text,
    };
  });
}

function toHeaders({ headers: received }: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received)) {
    if (typeof value === "string") headers.set(name, value);
  }
  return headers;
}

async function withTimeout(
  { url, signal, timeoutMs = TIMEOUT_MS }: Pick<
    HttpRequest,
    "url" | "signal" | "timeoutMs"
  >,
  send: (signal: AbortSignal) => Promise<HttpResponse>,
): Promise<HttpResponse> {
  signal?.throwIfAborted();
  using timeout = new Watchdog(
    timeoutMs,
    (ms) => `${url.origin} does not answer: no response within ${ms / 1_000} s`,
  );
  const either = AbortSignal.any([timeout.signal, ...(signal ? [signal] : [])]);
  try {
    return await send(either);
  } catch (error) {
    if (either.aborted) throw either.reason;
    throw new Error(`${url.origin} does not answer: ${findReason(error)}`, {
      cause: error,
    });
  }
}

/** Returns the innermost reason of a failed request. The outer ones repeat its URL. */
function findReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return findReason(error.cause);
  return error.message.replace(/^.*client error \(\w+\): /, "");
}

async function readText(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_BYTES) {
      throw new Error(`its response has more than ${MAX_BYTES} bytes`);
    }
  }
  return Buffer.concat(chunks).toString();
}
