/**
 * Errors that a client can act on, and the one place that turns any error into an answer.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc9457 RFC 9457: Problem Details for HTTP APIs}
 */

import type {
  ClientErrorStatusCode,
  ServerErrorStatusCode,
} from "hono/utils/http-status";
import { withoutKeys } from "./redact.ts";
import { truncate } from "./text.ts";

/** Statuses that may be answered with a {@linkcode Problem}. */
export type ProblemStatus = ClientErrorStatusCode | ServerErrorStatusCode;

/** What stands behind a code. */
export interface ProblemKind {
  readonly status: ProblemStatus;
  readonly title: string;
  /** After how long a client should try again, for what passes by itself. */
  readonly retryAfterSeconds?: number;
}

/** A code that is not among the built-in ones: an app, or a plugin, brings it. */
export interface AddedProblem extends ProblemKind {
  readonly code: string;
}

/** Codes that an app or a plugin brings, each with what stands behind it. */
export type Problems = Readonly<Record<string, ProblemKind>>;

/** Every code that the core and the built-in apps answer. A code never changes its meaning. */
const KINDS = {
  invalid_request: { status: 422, title: "Invalid request" },
  idempotency_key_reused: {
    status: 422,
    title: "Idempotency key stands for another request",
  },
  malformed_json: { status: 400, title: "Malformed JSON" },
  malformed_request: { status: 400, title: "Malformed request" },
  request_timeout: { status: 408, title: "Request came too slowly" },
  uri_too_long: { status: 414, title: "Path too long" },
  headers_too_large: { status: 431, title: "Request head too large" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  body_too_large: { status: 413, title: "Body too large" },
  unauthorized: { status: 401, title: "Missing or wrong API key" },
  forbidden: { status: 403, title: "Not allowed" },
  host_not_allowed: { status: 403, title: "Host not allowed" },
  origin_not_allowed: { status: 403, title: "Origin not allowed" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  session_not_found: { status: 404, title: "Session not found" },
  session_not_running: { status: 409, title: "Session is not running" },
  session_ended: { status: 410, title: "Session has ended" },
  session_failed: { status: 502, title: "Session failed to start" },
  start_timeout: { status: 504, title: "Session did not start in time" },
  too_many_connections: { status: 429, title: "Session has all its clients" },
  lease_lost: { status: 409, title: "Lease lost" },
  worker_not_found: { status: 404, title: "Worker not found" },
  worker_unreachable: { status: 503, title: "Browser cannot be reached" },
  target_not_found: { status: 404, title: "Page not found" },
  browser_refused: { status: 409, title: "Browser refused" },
  browser_timeout: { status: 504, title: "Browser did not answer in time" },
  worker_in_use: { status: 409, title: "Worker name is in use" },
  worker_replaced: { status: 409, title: "Worker runs in a newer process" },
  worker_busy: { status: 409, title: "Worker holds sessions" },
  pool_not_found: { status: 404, title: "Work pool not found" },
  pool_paused: { status: 409, title: "Work pool takes no sessions" },
  pool_name_taken: { status: 409, title: "Work pool name is taken" },
  pool_full: { status: 409, title: "Work pool has all its workers" },
  pool_in_use: { status: 409, title: "Work pool is in use" },
  read_only_member: { status: 422, title: "Read-only member" },
  provider_mismatch: { status: 409, title: "Provider does not match" },
  unknown_provider: { status: 422, title: "Unknown provider" },
  invalid_provider_config: { status: 422, title: "Invalid provider_config" },
  no_matching_pool: { status: 409, title: "No matching work pool" },
  browser_not_available: { status: 422, title: "Browser not available" },
  argument_not_allowed: { status: 422, title: "Argument not allowed" },
  key_not_found: { status: 404, title: "Key not found" },
  last_admin_key: { status: 409, title: "Last key of an admin" },
  queue_full: { status: 429, title: "Queue is full" },
  rate_limited: { status: 429, title: "Too many requests" },
  protocol_not_supported: { status: 400, title: "Protocol not supported" },
  upgrade_required: { status: 426, title: "WebSocket expected" },
  database_busy: { status: 503, title: "Database is busy" },
  database_unavailable: { status: 503, title: "Database is unavailable" },
  encryption_key_mismatch: {
    status: 500,
    title: "Secrets cannot be read with this key",
  },
  shutting_down: { status: 503, title: "Server is shutting down" },
  internal: { status: 500, title: "Internal error" },
} as const satisfies Problems;

export type ErrorCode = keyof typeof KINDS;

/** A built-in code by its name, or one that is brought, whole. */
export type AnyProblem = ErrorCode | AddedProblem;

/**
 * Declares codes of an app or a plugin; `problems.note_not_found` is what {@linkcode GridError} and a route's refusals
 * take, and the whole is the app's `problems`.
 */
export function defineProblems<P extends Problems>(
  kinds: P,
): { readonly [C in keyof P]: AddedProblem } {
  const entries = Object.entries(kinds).map((
    [code, kind],
  ) => [code, { ...kind, code }]);
  return Object.fromEntries(entries);
}

/** Whether `code` is one of the core or of a built-in app. */
export function isBuiltIn(code: string): code is ErrorCode {
  return Object.hasOwn(KINDS, code);
}

/** Status that `problem` is answered with. */
export function statusOf(problem: AnyProblem): ProblemStatus {
  return kindOf(problem).status;
}

/** The code of `problem`. */
export function codeOf(problem: AnyProblem): string {
  return typeof problem === "string" ? problem : problem.code;
}

function kindOf(problem: AnyProblem): ProblemKind {
  if (typeof problem !== "string") return problem;
  // Plugins in plain JavaScript are checked by nobody else.
  if (isBuiltIn(problem)) return KINDS[problem];
  throw new TypeError(
    `Cannot refuse with code "${problem}": it is unknown, expected a built-in one or one of defineProblems()`,
  );
}

/** Seconds that a client should wait before it tries again, for codes that pass by themselves. */
const RETRY_AFTER_SECONDS: Readonly<Record<string, number>> = {
  queue_full: 5,
  database_busy: 1,
  database_unavailable: 2,
  shutting_down: 5,
  worker_unreachable: 2,
  too_many_connections: 2,
};

/** A refusal: something that the caller did or could wait for, with a stable code. */
export class GridError extends Error {
  override readonly name = "GridError";
  readonly code: string;
  readonly kind: ProblemKind;
  /** Members that are added to the answer, in snake_case. Never secrets. */
  readonly extensions: Readonly<Record<string, unknown>>;
  /** After how long to try again, when it is not always so with its code. */
  readonly retryAfterSeconds: number | undefined;

  /** @param detail `Cannot <verb> <thing> "<value>": <what is>, expected <what would be accepted>`. */
  constructor(
    problem: AnyProblem,
    detail: string,
    extensions: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions & { readonly retryAfterSeconds?: number },
  ) {
    super(detail, options);
    this.code = codeOf(problem);
    this.kind = kindOf(problem);
    this.extensions = extensions;
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }

  get status(): ProblemStatus {
    return this.kind.status;
  }
}

/** Whether `error` is of the kind that passes by itself: the database is busy or away. */
export function isPassing(error: unknown): error is GridError {
  return error instanceof GridError &&
    (error.code === "database_busy" || error.code === "database_unavailable");
}

/** Maximum length of the detail, and of text in an extension member; both may reflect client input. */
const MAX_DETAIL = 10_000;
const MAX_MEMBER = 2_000;

/** Body of every refusal. `request_id` finds the log line. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: ProblemStatus;
  readonly detail: string;
  readonly code: string;
  readonly request_id?: string;
  readonly [extension: string]: unknown;
}

/**
 * The error that the database reported, if `error` is drizzle's envelope of it.
 *
 * The envelope's message has every bound value, secrets too: it must reach neither a log nor a client.
 */
export function unwrapQueryError(error: unknown): unknown {
  return error instanceof Error && error.message.startsWith("Failed query: ")
    ? error.cause ?? new Error("Query failed")
    : error;
}

/** The refusal that stands for `error`; a foreign error becomes `internal` and shows nothing of itself. */
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

/** Body for `error`. */
export function toProblem(error: GridError, requestId?: string): Problem {
  return {
    type: `urn:browsergrid:problem:${error.code}`,
    title: error.kind.title,
    status: error.kind.status,
    detail: truncate(withoutKeys(error.message), MAX_DETAIL),
    code: error.code,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...mapValues(error.extensions, capped),
  };
}

/** Returns a member's value with each text in it truncated. */
function capped(value: unknown): unknown {
  if (typeof value === "string") return truncate(value, MAX_MEMBER);
  if (Array.isArray(value)) return value.map(capped);
  if (typeof value !== "object" || value === null) return value;
  return mapValues(value, capped);
}

function mapValues(
  object: object,
  map: (value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, map(value)]),
  );
}

/** Headers that belong to an answer with `error`. */
export function problemHeaders(error: GridError): Record<string, string> {
  const seconds = error.retryAfterSeconds ?? error.kind.retryAfterSeconds ??
    RETRY_AFTER_SECONDS[error.code];
  return {
    "content-type": "application/problem+json",
    ...(seconds === undefined ? {} : { "retry-after": String(seconds) }),
    ...(error.code === "unauthorized" ? { "www-authenticate": "Bearer" } : {}),
  };
}

/** Answer for `error`. */
export function problemResponse(
  error: GridError,
  requestId?: string,
): Response {
  return new Response(
    withoutKeys(JSON.stringify(toProblem(error, requestId))),
    {
      status: error.status,
      headers: problemHeaders(error),
    },
  );
}
