/**
 * Replacement of characters that SQLite and its clients cannot store or read.
 *
 * JavaScript strings may contain half of a surrogate pair, for example where text was cut within an emoji. UTF-8 cannot
 * encode it:
 * - In plain text the drivers write U+FFFD, or a remote server rejects the request.
 * - In JSON text it is written as an escape, which SQLite's JSON functions decode to bytes that are not UTF-8; the native
 *   library ends the process when it reads them.
 *
 * A NUL is stored, but the text after it is lost when it is read.
 *
 * @module
 */
import type { InArgs, InStatement, InValue } from "@libsql/client";

/** A NUL, or an escape of one or of a surrogate. */
const SUSPECT = /\0|\\u(?:0000|[dD][89a-fA-F])/;

/** Beginning of JSON text. Numbers, true, false and null contain no text. */
const JSON_START = /^[[{"]/;

/**
 * The escape of a NUL or of a surrogate, after an even number of backslashes, which are escaped themselves.
 * `JSON.stringify` does not escape the surrogates of a whole pair.
 */
const UNFIT_ESCAPE =
  /(?<!\\)((?:\\\\)*)\\u(?:0000|[dD][89a-fA-F][\da-fA-F]{2})/g;

/**
 * Returns the statement with U+FFFD for every NUL and every half of a surrogate pair in its arguments, and for their
 * escapes in arguments that are JSON text of `JSON.stringify`.
 *
 * The text is not parsed: in plain text that begins like JSON, such an escape is replaced too.
 */
export function toWellFormed(
  statement: InStatement | [string, (InArgs | undefined)?],
): InStatement {
  if (typeof statement === "string") return statement;
  const [sql, args] = Array.isArray(statement)
    ? statement
    : [statement.sql, statement.args];
  return args === undefined ? sql : { sql, args: wellFormedArgs(args) };
}

function wellFormedArgs(args: InArgs): InArgs {
  if (Array.isArray(args)) return args.map(wellFormedValue);
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, wellFormedValue(value)]),
  );
}

function wellFormedValue(value: InValue): InValue {
  if (typeof value !== "string") return value;
  if (value.isWellFormed() && !SUSPECT.test(value)) return value;
  const text = value.toWellFormed().replaceAll("\0", "\ufffd");
  if (!JSON_START.test(text)) return text;
  return text.replace(UNFIT_ESCAPE, "$1\\ufffd");
}
