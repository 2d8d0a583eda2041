import { escapeText, truncate } from "../../../core/text.ts";

/** Maximum length of a message of the API server in errors. */
const MAX_MESSAGE = 1_000;

/** An error response of the Kubernetes API. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** Reason as one word: "NotFound", "AlreadyExists", "Forbidden". */
  readonly reason: string;
  /** Pause that the server requests before the next attempt. */
  readonly retryAfterMs: number | undefined;

  constructor(
    { status, reason, message, retryAfterMs }: {
      readonly status: number;
      readonly reason: string;
      readonly message: string;
      readonly retryAfterMs?: number | undefined;
    },
  ) {
    super(cleanText(message));
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The error of a request that got no response. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  /** True if there was no connection, so that the server has not received the request. */
  readonly isUnreachable: boolean;
  /** Code of the system, such as "ECONNREFUSED"; the message if there is none. */
  readonly code: string;

  constructor(cause: unknown) {
    const code = cause instanceof Error && "code" in cause
      ? String(cause.code)
      : "";
    const message = cause instanceof Error ? cause.message : String(cause);
    const isUnreachable = /ECONNREFUSED|ENOENT|ENOTFOUND|EHOSTUNREACH/.test(
      code + message,
    );
    super(
      isUnreachable
        ? `the API server cannot be reached (${code || cleanText(message)})`
        : /ECONNRESET|EPIPE/.test(code)
        ? `the API server broke off the connection (${code})`
        : cleanText(message),
      { cause },
    );
    this.isUnreachable = isUnreachable;
    this.code = code || cleanText(message);
  }
}

/** The error of a request whose last attempt was rejected, and of which an earlier one may have had its effect. */
export class UncertainError extends Error {
  override readonly name = "UncertainError";

  constructor(cause: unknown) {
    super(toReason(cause), { cause });
  }
}

/** Reports whether a request certainly had no effect: the server rejected it, or was not reached. */
export function wasNotDone(error: unknown): boolean {
  return error instanceof ApiError
    ? error.status < 500
    : error instanceof ConnectionError && error.isUnreachable;
}

/** Returns the status of an error response; undefined for other errors. */
export function apiStatus(error: unknown): number | undefined {
  return error instanceof ApiError ? error.status : undefined;
}

/** Returns a handler for `catch` that throws an error with `message` and the reason. */
export function rethrowAs(message: string): (error: unknown) => never {
  return (error) => {
    throw new Error(`${message}: ${toReason(error)}`, { cause: error });
  };
}

/** Returns the message of an error. */
export function toReason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Returns text of the cluster without control characters, on one line and at most {@linkcode MAX_MESSAGE} long. */
export function cleanText(text: string): string {
  return truncate(escapeText(text).replaceAll(/\s+/g, " ").trim(), MAX_MESSAGE);
}
