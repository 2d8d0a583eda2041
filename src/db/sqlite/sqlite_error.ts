/**
 * Primary result codes by number; numbers above 255 are details of one of them.
 *
 * @see {@link https://www.sqlite.org/rescode.html SQLite: result codes}
 */
const CODES: Readonly<Record<number, string>> = {
  1: "ERROR",
  2: "INTERNAL",
  3: "PERM",
  4: "ABORT",
  5: "BUSY",
  6: "LOCKED",
  7: "NOMEM",
  8: "READONLY",
  9: "INTERRUPT",
  10: "IOERR",
  11: "CORRUPT",
  13: "FULL",
  14: "CANTOPEN",
  15: "PROTOCOL",
  17: "SCHEMA",
  18: "TOOBIG",
  19: "CONSTRAINT",
  20: "MISMATCH",
  21: "MISUSE",
  25: "RANGE",
  26: "NOTADB",
};

/** Beginnings of the messages that the runtime reports without a number, when it opens a file or runs a script. */
const MESSAGES: readonly (readonly [message: string, code: string])[] = [
  ["database is locked", "BUSY"],
  ["database table is locked", "LOCKED"],
  ["unable to open database file", "CANTOPEN"],
  ["disk I/O error", "IOERR"],
  ["database or disk is full", "FULL"],
  ["attempt to write a readonly database", "READONLY"],
  ["file is not a database", "NOTADB"],
  ["database disk image is malformed", "CORRUPT"],
];

/** A failure of SQLite with its code, such as `SQLITE_BUSY`, in the libSQL client's form. */
export class SqliteError extends Error {
  override readonly name = "SqliteError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}

/** Converts the runtime's error to one with SQLite's code; any other error unchanged. */
export function toSqliteError(error: unknown): unknown {
  const isSqlite = error instanceof Error && "code" in error &&
    error.code === "ERR_SQLITE_ERROR";
  if (!isSqlite) return error;
  const number = "errcode" in error ? Number(error.errcode) : 0;
  const code = CODES[number & 0xff] ?? findCodeByMessage(error.message);
  return new SqliteError(`SQLITE_${code}`, error.message, { cause: error });
}

function findCodeByMessage(message: string): string {
  const known = MESSAGES.find(([start]) => message.startsWith(start));
  return known?.[1] ?? "ERROR";
}
