/**
 * What the errors of the database's drivers mean.
 *
 * @module
 */
import { GridError } from "../core/errors.ts";

/**
 * Somebody else holds the lock, or the server runs all the transactions it can: what was asked has changed nothing.
 *
 * @see {@link https://www.sqlite.org/rescode.html SQLite: result codes}
 */
const BUSY = /^(SQLITE_(BUSY|LOCKED|PROTOCOL)|TRANSACTION_BUSY)/;

/** The file or its disk does not play along. */
const UNAVAILABLE =
  /^SQLITE_(CANTOPEN|FULL|INTERRUPT|IOERR|NOMEM|PERM|READONLY)/;

/** Codes of the libSQL clients that speak of the statement; all others speak of the way to the server, or of its state. */
const STATEMENT = /^(SQLITE_|SQL_|ARGS_|URL_|RESPONSE_TOO_LARGE)/;

/** Whether a call failed because the database is locked. It has changed nothing then, and may be made again. */
export function isBusy(error: unknown): boolean {
  return BUSY.test(readDriverCode(error));
}

/** The driver's code; empty if `error` has none. */
export function readDriverCode(error: unknown): string {
  return error instanceof Error && "code" in error &&
      typeof error.code === "string"
    ? error.code
    : "";
}

/** The refusal for what passes by itself; anything else as it is. */
export function toDatabaseError(error: unknown): unknown {
  if (isBusy(error)) return databaseBusy(error);
  return isUnavailable(error) ? databaseUnavailable(error) : error;
}

/** The refusal while others hold the database's lock. */
export function databaseBusy(cause?: unknown): GridError {
  return new GridError(
    "database_busy",
    "Cannot use the database now: too much is being written, try again",
    {},
    { cause },
  );
}

/** The refusal while the database does not do its work. */
export function databaseUnavailable(cause?: unknown): GridError {
  return new GridError(
    "database_unavailable",
    "Cannot use the database now: it cannot be reached, opened or written, try again",
    {},
    { cause },
  );
}

/** The refusal while a remote database does not let this server in. What comes of it is that of a database that is away. */
export function databaseForbidden(status: number): GridError {
  return new GridError(
    "database_unavailable",
    `Cannot use the database: it answers HTTP status ${status}, expected a token that it takes in setting "database_auth_token"`,
  );
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = readDriverCode(error);
  return UNAVAILABLE.test(code) ||
    // A server's answer that is no JSON.
    error instanceof SyntaxError ||
    error.name.startsWith("Libsql") && !STATEMENT.test(code);
}
