import { removeEndSlash } from "../core/network.ts";
import { systemClock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import {
  ApiError,
  timedOut,
  toApiError,
  unreachable,
  unreadable,
} from "./api_error.ts";

/** Longest wait for an answer, besides what the server is asked to wait. */
const RESPONSE_TIMEOUT_MS = 30_000;

/** Where the server is, and the key for it. */
export interface ClientOptions {
  readonly apiUrl: string;
  readonly apiKey?: string | undefined;
  /** How requests are sent. @default {fetch} */
  readonly fetch?: typeof fetch;
  /** Longest wait for an answer, besides `waitSeconds`; `Infinity` for none. @default {30_000} */
  readonly timeoutMs?: number | undefined;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, which then throws its reason. */
  readonly signal?: AbortSignal | undefined;
  /** In place of the client's own. */
  readonly timeoutMs?: number | undefined;
}

/** Query parameters; those that are undefined are left out. */
export type Query = Readonly<
  Record<string, string | number | boolean | undefined>
>;

/** A request. */
export interface Call extends CallOptions {
  readonly body?: unknown;
  readonly query?: Query | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long the server is asked to hold the answer. */
  readonly waitSeconds?: number | undefined;
}

/** Sends requests to one server. */
export interface Transport {
  readonly apiUrl: string;
  /** The answer, as JSON. Trusted to be of this version's shape. @throws {ApiError} When it is a refusal, or none came. */
  json<T>(method: string, path: string, call?: Call): Promise<T>;
  /** As `json`; undefined for an answer without a body. */
  jsonIfAny<T>(
    method: string,
    path: string,
    call?: Call,
  ): Promise<T | undefined>;
  /** The answer as text. @throws {ApiError} As `json`. */
  text(method: string, path: string, call?: Call): Promise<string>;
  /** The answer as it is. @throws {ApiError} As `json`. */
  bytes(
    method: string,
    path: string,
    call?: Call,
  ): Promise<Uint8Array<ArrayBuffer>>;
}

/** Talks to the server that `options` name. */
export function createTransport(options: ClientOptions): Transport {
  const apiUrl = removeEndSlash(options.apiUrl);
  const request = options.fetch ?? fetch;

  async function send<T>(
    { method, path, call }: {
      readonly method: string;
      readonly path: string;
      readonly call: Call;
    },
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const { body, signal, waitSeconds = 0 } = call;
    const patienceMs =
      (call.timeoutMs ?? options.timeoutMs ?? RESPONSE_TIMEOUT_MS) +
      waitSeconds * 1_000;
    using patience = createDeadline(patienceMs, signal);
    try {
      const response = await request(buildUrl(apiUrl + path, call), {
        method,
        headers: buildHeaders(call, options.apiKey),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(patience.signal ? { signal: patience.signal } : {}),
      });
      if (!response.ok) throw await toApiError(response);
      return await read(response);
    } catch (cause) {
      signal?.throwIfAborted();
      if (patience.signal?.aborted) throw timedOut(apiUrl, patienceMs);
      throw cause instanceof ApiError ? cause : unreachable(apiUrl, cause);
    }
  }

  const text: Transport["text"] = (method, path, call = {}) =>
    send({ method, path, call }, (response) => response.text());

  async function jsonIfAny<T>(
    method: string,
    path: string,
    call?: Call,
  ): Promise<T | undefined> {
    const answer = await text(method, path, call);
    try {
      return answer === "" ? undefined : JSON.parse(answer);
    } catch (cause) {
      throw unreadable(apiUrl, 200, cause);
    }
  }

  return {
    apiUrl,
    text,
    bytes: (method, path, call = {}) =>
      send({ method, path, call }, (response) => response.bytes()),
    jsonIfAny,
    async json<T>(method: string, path: string, call?: Call) {
      const answer = await jsonIfAny<T>(method, path, call);
      if (answer !== undefined) return answer;
      throw unreadable(apiUrl, 200, new SyntaxError("It is empty"));
    },
  };
}

/** Without a limit nothing has to be ended with the call. */
function createDeadline(
  ms: number,
  signal: AbortSignal | undefined,
): Disposable & { readonly signal?: AbortSignal } {
  if (ms !== Infinity) {
    return deadline(systemClock, ms, ...signal ? [signal] : []);
  }
  return { ...(signal ? { signal } : {}), [Symbol.dispose]() {} };
}

function buildUrl(path: string, { query = {}, waitSeconds }: Call): URL {
  const url = new URL(path);
  const all = { ...query, wait: waitSeconds };
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

function buildHeaders(
  { body, headers }: Call,
  apiKey: string | undefined,
): Record<string, string> {
  return {
    ...(apiKey === undefined ? {} : { "x-api-key": apiKey }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...headers,
  };
}
