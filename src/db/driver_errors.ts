/**
 * Translation of the database drivers' errors.
 *
 * @module
 */
import { GridError } from "../core/errors.ts";

/**
 * Another process holds the lock, or the server runs its maximum of transactions. The call has changed nothing.
 *
 * @see {@link https://www.sqlite.org/rescode.html SQLite: result codes}
 */
const BUSY = /^(SQLITE_(BUSY|LOCKED|PROTOCOL)|TRANSACTION_BUSY)/;

/** The file cannot be opened, read or written, or its disk is full. */
const UNAVAILABLE =
  /^SQLITE_(CANTOPEN|FULL|INTERRUPT|IOERR|NOMEM|PERM|READONLY)/;

/** Codes of the libSQL clients for faults of the statement; all others are faults of the connection or the server. */
const STATEMENT = /^(SQLITE_|SQL_|ARGS_|URL_|RESPONSE_TOO_LARGE)/;

/** Reports whether a call failed because the database is locked. It has changed nothing and may be repeated. */
export function isBusy(error: unknown): boolean {
  return BUSY.test(readDriverCode(error));
}

/** Returns the driver's code; empty if `error` has none. */
export function readDriverCode(error: unknown): string {
  return error instanceof Error && "code" in error &&
      typeof error.code === "string"
    ? error.code
    : "";
}

/** Returns the `GridError` of a temporary fault of the database; any other error unchanged. */
export function toDatabaseError(error: unknown): unknown {
  if (isBusy(error)) return databaseBusy(error);
  return isUnavailable(error) ? databaseUnavailable(error) : error;
}

/** Returns the error for a database that other processes keep locked. */
export function databaseBusy(cause?: unknown): GridError {
  return new GridError(
    "database_busy",
    "Cannot use the database now: too much is being written, try again",
    {},
    { cause },
  );
}

/** Returns the error for a database that cannot be reached, opened or written. */
export function databaseUnavailable(cause?: unknown): GridError {
  return new GridError(
    "database_unavailable",
    "Cannot use the database now: it cannot be reached, opened or written, try again",
    {},
    { cause },
  );
}

/** Returns the error for a remote database that rejects the token. Callers treat it as an outage. */
export function databaseForbidden(status: number): GridError {
  return new GridError(
    "database_unavailable",
    `Cannot use the database: it responds with HTTP status ${status}, expected a valid token in setting "database_auth_token"`,
  );
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = readDriverCode(error);
  return UNAVAILABLE.test(code) ||
    // The server's response is not JSON.
    error instanceof SyntaxError ||
    error.name.startsWith("Libsql") && !STATEMENT.test(code);
}
