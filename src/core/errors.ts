/**
 * Errors that a client can act on, and their codes.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc9457 RFC 9457: Problem Details for HTTP APIs}
 */

import type {
  ClientErrorStatusCode,
  ServerErrorStatusCode,
} from "hono/utils/http-status";

/** Statuses that a {@linkcode Problem} may have. */
export type ProblemStatus = ClientErrorStatusCode | ServerErrorStatusCode;

/** A declaration of a problem code. */
export interface ProblemKind {
  readonly status: ProblemStatus;
  readonly title: string;
  /** Number of seconds after which a client should try again. Omit if trying again does not help. */
  readonly retryAfterSeconds?: number;
  /** Only some responses with this code have `Retry-After`; the OpenAPI document lists the header. */
  readonly mayHaveRetryAfter?: boolean;
  /** Other headers of every response with this code. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Example of a detail for the OpenAPI document. @default The title. */
  readonly example?: string;
}

/** A {@linkcode ProblemKind} with its code, as {@linkcode defineProblems} returns it. */
export interface DeclaredProblem extends ProblemKind {
  readonly code: string;
}

/** Problem kinds of an app or a plugin by code. */
export type Problems = Readonly<Record<string, ProblemKind>>;

/** Codes that any part of the server may respond with. A code never changes its meaning. */
const COMMON = {
  invalid_request: {
    status: 422,
    title: "Invalid request",
    example:
      "Cannot use the body: screen.width: Too big: expected number to be <=16384",
  },
  malformed_json: {
    status: 400,
    title: "Malformed JSON",
    example: "Cannot read the body: it is not JSON",
  },
  malformed_request: { status: 400, title: "Malformed request" },
  request_timeout: { status: 408, title: "Request came too slowly" },
  uri_too_long: {
    status: 414,
    title: "Path too long",
    example:
      "Cannot read the request: its path has 58003 characters, expected at most 2048",
  },
  headers_too_large: { status: 431, title: "Request head too large" },
  unsupported_media_type: {
    status: 415,
    title: "Unsupported media type",
    example:
      'Cannot read the body: its Content-Type is "text/plain", expected application/json',
  },
  body_too_large: {
    status: 413,
    title: "Body too large",
    example:
      "Cannot read the body: it is too large, expected at most 2097152 bytes",
  },
  unauthorized: {
    status: 401,
    title: "Missing or wrong API key",
    headers: { "www-authenticate": "Bearer" },
    example:
      "Cannot let the request in: the key is missing, expected it in X-API-Key or Authorization: Bearer",
  },
  forbidden: { status: 403, title: "Not allowed" },
  host_not_allowed: {
    status: 403,
    title: "Host not allowed",
    example:
      'Cannot serve host "elsewhere.example": it is not a known name of this server, expected localhost, the host of public_url, or one of the setting allowed_hosts',
  },
  origin_not_allowed: {
    status: 403,
    title: "Origin not allowed",
    example:
      'Cannot serve origin "https://elsewhere.example": it is not allowed, expected one of the setting allowed_origins',
  },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  upgrade_required: {
    status: 426,
    title: "WebSocket expected",
    // https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2
    headers: { "upgrade": "websocket", "sec-websocket-version": "13" },
  },
  rate_limited: {
    status: 429,
    title: "Too many requests",
    mayHaveRetryAfter: true,
  },
  overloaded: {
    status: 503,
    title: "Too many requests wait",
    retryAfterSeconds: 2,
    example:
      "Cannot serve the request now: it would wait longer than 2 s for the requests before it, try again in 4 s",
  },
  database_busy: {
    status: 503,
    title: "Database is busy",
    retryAfterSeconds: 1,
  },
  database_unavailable: {
    status: 503,
    title: "Database is unavailable",
    retryAfterSeconds: 2,
  },
  encryption_key_mismatch: {
    status: 500,
    title: "Secrets cannot be read with this key",
  },
  shutting_down: {
    status: 503,
    title: "Server is shutting down",
    retryAfterSeconds: 5,
  },
  internal: {
    status: 500,
    title: "Internal error",
    example: "Something went wrong here; the log has it under this request_id",
  },
} as const satisfies Problems;

/** A code that any part of the server may respond with. */
export type CommonCode = keyof typeof COMMON;

/** A common code by its name, or the declaration of an app or a plugin. */
export type AnyProblem = CommonCode | DeclaredProblem;

/** Every declared problem by code. A plugin that cannot import an app's declaration names its code instead. */
const declared = new Map<string, DeclaredProblem>();

/**
 * Declares the problem codes of an app or a plugin. Its members are the first argument of {@linkcode GridError} and
 * the arguments of a route's `problemResponses()`; the whole is the app's {@linkcode App.problems}.
 */
export function defineProblems<P extends Problems>(
  kinds: P,
): { readonly [C in keyof P]: DeclaredProblem } {
  const entries = Object.entries(kinds).map(([code, kind]) => {
    const problem = { ...kind, code };
    if (!declared.has(code)) declared.set(code, problem);
    return [code, problem];
  });
  return Object.fromEntries(entries);
}

/** Reports whether `code` is one that any part of the server may respond with. */
export function isCommonCode(code: string): code is CommonCode {
  return Object.hasOwn(COMMON, code);
}

/** Returns the declaration of `problem`. @throws {TypeError} If it is a code that is not declared. */
export function resolveProblem(problem: AnyProblem): DeclaredProblem {
  if (typeof problem !== "string") return problem;
  if (isCommonCode(problem)) return { ...COMMON[problem], code: problem };
  const found = declared.get(problem);
  if (found) return found;
  // Types do not check a plugin in plain JavaScript.
  throw new TypeError(
    `Cannot respond with code "${problem}": it is unknown, expected a built-in one or one of defineProblems()`,
  );
}

/** An error that the caller caused or can wait for, with a stable code. */
export class GridError extends Error {
  override readonly name = "GridError";
  readonly code: string;
  readonly kind: DeclaredProblem;
  /** Members that are added to the response, in snake_case. Never secrets. */
  readonly extensions: Readonly<Record<string, unknown>>;
  /** Number of seconds after which to try again, if it differs from the code's. */
  readonly retryAfterSeconds: number | undefined;

  /** @param detail `Cannot <verb> <thing> "<value>": <what is>, expected <what would be accepted>`. */
  constructor(
    problem: AnyProblem,
    detail: string,
    extensions: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions & { readonly retryAfterSeconds?: number },
  ) {
    super(detail, options);
    this.kind = resolveProblem(problem);
    this.code = this.kind.code;
    this.extensions = extensions;
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }

  get status(): ProblemStatus {
    return this.kind.status;
  }
}

/** Reports whether `error` is temporary: the database is busy or unavailable. */
export function isTransient(error: unknown): error is GridError {
  return error instanceof GridError &&
    (error.code === "database_busy" || error.code === "database_unavailable");
}

/**
 * Returns the error of the database driver if `error` is drizzle's wrapper of it.
 *
 * The message of the wrapper contains every bound value, including secrets, so it must reach neither a log nor a client.
 */
export function unwrapQueryError(error: unknown): unknown {
  return error instanceof Error && error.message.startsWith("Failed query: ")
    ? error.cause ?? new Error("Query failed")
    : error;
}

/** Converts any error into a {@linkcode GridError}. A foreign error becomes `internal`, without its message. */
export function toGridError(thrown: unknown): GridError {
  const error = unwrapQueryError(thrown);
  if (error instanceof GridError) return error;
  return new GridError(
    "internal",
    "Something went wrong here; the log has it under this request_id",
    {},
    { cause: error },
  );
}
