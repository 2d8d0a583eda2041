import { systemClock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { Watchdog } from "../async/watchdog.ts";
import { removeEndSlash } from "../core/text.ts";
import {
  ApiError,
  timedOut,
  toApiError,
  unreachable,
  unreadable,
} from "./api_error.ts";

/** Longest wait for a response, in addition to the time that the server may hold it. */
const RESPONSE_TIMEOUT_MS = 30_000;

/** Longest time without a part of an endless response: servers send a comment after 15 s. */
const SILENCE_MS = 45_000;

/** Longest time of a timer. */
const MAX_MS = 2 ** 31 - 1;

/** Options of a client. */
export interface ClientOptions {
  /** URL of the server, such as `http://127.0.0.1:8765`. */
  readonly apiUrl: string;
  /** API key. Not needed if authentication is off. */
  readonly apiKey?: string | undefined;
  /** Sends the requests. @default {fetch} */
  readonly fetch?: typeof fetch;
  /** Longest wait for a response, in addition to `waitSeconds`; `Infinity` for no limit. @default {30_000} */
  readonly timeoutMs?: number | undefined;
}

/** Options of every call. */
export interface CallOptions {
  /** Aborts the call, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Replaces the client's `timeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/** Query parameters. Undefined ones are left out. */
export type Query = Readonly<
  Record<string, string | number | boolean | undefined>
>;

/** The content of a request. */
export interface Call extends CallOptions {
  readonly body?: unknown;
  readonly query?: Query | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Time for which the server may hold the response. */
  readonly waitSeconds?: number | undefined;
}

/** Sends requests to one server. Every method throws {@linkcode ApiError}. */
export class Transport {
  /** URL of the server, without a slash at the end. */
  readonly apiUrl: string;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.apiUrl = removeEndSlash(options.apiUrl);
    this.#options = options;
  }

  /** Returns the body as JSON, which is trusted to have the form of this version. */
  async json<T>(method: string, path: string, call?: Call): Promise<T> {
    const value = await this.jsonIfAny<T>(method, path, call);
    if (value !== undefined) return value;
    throw unreadable(this.apiUrl, 200, new SyntaxError("It is empty"));
  }

  /** Returns the body as JSON; undefined if the response has no body. */
  async jsonIfAny<T>(
    method: string,
    path: string,
    call?: Call,
  ): Promise<T | undefined> {
    const body = await this.text(method, path, call);
    try {
      return body === "" ? undefined : JSON.parse(body);
    } catch (cause) {
      throw unreadable(this.apiUrl, 200, cause);
    }
  }

  /** Returns the body as text. */
  async text(method: string, path: string, call: Call = {}): Promise<string> {
    return await this.#send(
      { method, path, call },
      (response) => response.text(),
    );
  }

  /** Returns the body as bytes. */
  async bytes(
    method: string,
    path: string,
    call: Call = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#send(
      { method, path, call },
      (response) => response.bytes(),
    );
  }

  /**
   * Yields the parts of an endless response as text, until it ends or `signal` is aborted. The connection is closed when
   * the iteration ends.
   */
  async *stream(
    path: string,
    call: Call,
  ): AsyncGenerator<string, void, undefined> {
    let limitMs = Math.min(this.#findLimit(call), MAX_MS);
    using silence = new Watchdog(limitMs);
    const signals = [silence.signal, ...call.signal ? [call.signal] : []];
    const signal = AbortSignal.any(signals);
    try {
      const response = await this.#request("GET", path, { ...call, signal });
      if (!response.ok) throw await toApiError(response);
      const type = response.headers.get("content-type") ?? "none";
      if (!response.body || !type.startsWith("text/event-stream")) {
        await response.body?.cancel();
        const cause = new TypeError(`Its content type is ${type}`);
        throw unreadable(this.apiUrl, response.status, cause);
      }
      const reader = response.body.pipeThrough(new TextDecoderStream())
        .getReader();
      limitMs = SILENCE_MS;
      try {
        for (;;) {
          silence.feed(limitMs);
          const { done, value } = await reader.read();
          if (done) break;
          // The time that the caller takes is no silence.
          silence.feed(MAX_MS);
          yield value;
        }
      } finally {
        await reader.cancel().catch(() => {});
      }
    } catch (cause) {
      call.signal?.throwIfAborted();
      if (silence.signal.aborted) throw timedOut(this.apiUrl, limitMs);
      throw cause instanceof ApiError ? cause : unreachable(this.apiUrl, cause);
    }
  }

  async #send<T>(
    { method, path, call }: {
      readonly method: string;
      readonly path: string;
      readonly call: Call;
    },
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const { signal } = call;
    const limitMs = this.#findLimit(call);
    using timeout = createTimeout(limitMs, signal);
    try {
      const response = await this.#request(method, path, {
        ...call,
        signal: timeout.signal,
      });
      if (!response.ok) throw await toApiError(response);
      return await read(response);
    } catch (cause) {
      signal?.throwIfAborted();
      if (timeout.signal?.aborted) throw timedOut(this.apiUrl, limitMs);
      throw cause instanceof ApiError ? cause : unreachable(this.apiUrl, cause);
    }
  }

  #findLimit({ timeoutMs, waitSeconds = 0 }: Call): number {
    return (timeoutMs ?? this.#options.timeoutMs ?? RESPONSE_TIMEOUT_MS) +
      waitSeconds * 1_000;
  }

  #request(method: string, path: string, call: Call): Promise<Response> {
    const { apiKey, fetch: request = fetch } = this.#options;
    const { body, signal } = call;
    return request(buildUrl(this.apiUrl + path, call), {
      method,
      headers: buildHeaders(call, apiKey),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  }
}

/** Creates the signal of a call. Without a limit there is no timer to end with the call. */
function createTimeout(
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
