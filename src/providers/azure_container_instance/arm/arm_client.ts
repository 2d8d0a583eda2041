import type { z } from "zod";
import { systemClock } from "../../../async/clock.ts";
import { ArmError } from "./arm_error.ts";
import { type HttpRequest, type HttpResponse, sendRequest } from "./http.ts";
import { parseJson } from "./parse_json.ts";
import { readRetryAfterMs } from "./retry_after.ts";
import type { TokenSource } from "./token_source.ts";

/** Responses after which the same request may succeed. */
const RETRIED: ReadonlySet<number> = new Set([409, 429, 503]);

/** Default time within which a request is repeated, in total. */
const RETRY_WITHIN_MS = 60_000;

/** Pause before a repetition if Azure asks for none: the first and the longest. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 15_000;

/** Maximum number of pages of a list. */
const MAX_PAGES = 100;

/** A request to Azure's API. */
export interface ArmCall {
  readonly method: HttpRequest["method"];
  /** Path without the version: `/subscriptions/...`. */
  readonly path: string;
  readonly apiVersion: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
  /** Statuses after which the request is repeated. @default {409, 429 and 503} */
  readonly retried?: ReadonlySet<number> | undefined;
  /** Time within which the request is repeated. @default {60_000} */
  readonly retryWithinMs?: number | undefined;
}

/** A successful response. */
export interface ArmResponse {
  readonly status: number;
  readonly text: string;
  /** Pause before the next request for the same resource; undefined if Azure asks for none. */
  readonly retryAfterMs: number | undefined;
}

/** A page of a list. */
export interface ArmPage<T> {
  readonly value: readonly T[];
  readonly nextLink?: string | null | undefined;
}

/** A client of Azure's API, for the resources that this provider uses. */
export class ArmClient {
  readonly #managementUrl: URL;
  readonly #tokens: TokenSource;

  constructor(managementUrl: string, tokens: TokenSource) {
    this.#managementUrl = new URL(managementUrl);
    this.#tokens = tokens;
  }

  /** Origin of the API. */
  get origin(): string {
    return this.#managementUrl.origin;
  }

  /**
   * Sends a request, and repeats it after 409, 429 and 503 as Azure asks.
   *
   * @throws {ArmError} If Azure rejects it.
   * @throws {Error} If Azure does not respond, so that the request may have had its effect; or the reason of the signal.
   */
  async call(call: ArmCall): Promise<ArmResponse> {
    const url = new URL(call.path, this.#managementUrl);
    url.searchParams.set("api-version", call.apiVersion);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      url.searchParams.set(name, value);
    }
    return await this.#send(url, call);
  }

  /** Sends a request as {@linkcode call}, and parses the response. */
  async read<S extends z.ZodType>(
    schema: S,
    call: ArmCall,
  ): Promise<z.output<S>> {
    return parseResponse(schema, await this.call(call));
  }

  /** Reads all pages of a list. Follows links to the API's own origin only, because they receive the token. */
  async readPages<T>(
    schema: z.ZodType<ArmPage<T>>,
    call: ArmCall,
  ): Promise<readonly T[]> {
    let page = await this.read(schema, call);
    const all = [...page.value];
    for (let count = 1; page.nextLink; count++) {
      const url = URL.parse(page.nextLink);
      if (url?.origin !== this.origin || count >= MAX_PAGES) {
        throw new Error(
          `Cannot read the next page of a list: its link leads to "${url?.origin}" after ${count} pages, expected ${this.origin} and at most ${MAX_PAGES}`,
        );
      }
      page = parseResponse(schema, await this.#send(url, call));
      all.push(...page.value);
    }
    return all;
  }

  async #send(url: URL, call: ArmCall): Promise<ArmResponse> {
    const { signal, retried = RETRIED, retryWithinMs = RETRY_WITHIN_MS } = call;
    const lateAt = systemClock.monotonic() + retryWithinMs;
    for (
      let backoff = RETRY_MS;;
      backoff = Math.min(2 * backoff, MAX_RETRY_MS)
    ) {
      const { response, token } = await this.#sendSigned(url, call);
      const { status, text, headers } = response;
      if (status >= 200 && status < 300) {
        return { status, text, retryAfterMs: readRetryAfterMs(headers) };
      }
      const error = new ArmError(response, [token]);
      const pause = error.retryAfterMs ?? backoff;
      const isLate = systemClock.monotonic() + pause > lateAt;
      if (!retried.has(status) || error.isPermanent || isLate) throw error;
      await systemClock.sleep(pause, signal);
    }
  }

  /** Sends a request with a token; once more with a new one if Azure rejects the cached one. */
  async #sendSigned(
    url: URL,
    call: ArmCall,
  ): Promise<{ readonly response: HttpResponse; readonly token: string }> {
    for (let isRepeated = false;; isRepeated = true) {
      const token = await this.#tokens.get(call.signal);
      const response = await sendRequest({
        method: call.method,
        url,
        headers: {
          authorization: `Bearer ${token}`,
          accept: "application/json",
          ...(call.body === undefined
            ? {}
            : { "content-type": "application/json" }),
        },
        body: call.body === undefined ? undefined : JSON.stringify(call.body),
        signal: call.signal,
        timeoutMs: call.timeoutMs,
      });
      if (response.status !== 401 || isRepeated) return { response, token };
      this.#tokens.evict(token);
    }
  }
}

/** Parses a response of Azure. @throws {Error} With the first member that is not as published. */
export function parseResponse<S extends z.ZodType>(
  schema: S,
  { text }: Pick<ArmResponse, "text">,
): z.output<S> {
  const { success, data, error } = schema.safeParse(parseJson(text));
  if (success) return data;
  const [issue] = error.issues;
  throw new Error(
    `Cannot read a response of Azure: ${
      issue?.path.join(".")
    }: ${issue?.message}`,
  );
}
