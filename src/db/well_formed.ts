/**
 * Makes text such that SQLite, and whoever reads from it, can take it.
 *
 * JavaScript's strings may have half of a surrogate pair, as when text is cut within an emoji. It has no form in UTF-8:
 * - In plain text the drivers write U+FFFD in its place, or a remote server refuses the request.
 * - In JSON text it is written as an escape, which SQLite's JSON functions unpack to bytes that are no UTF-8; the native
 *   library ends the whole process when it reads them.
 *
 * A NUL is stored, but all that is behind it is lost when it is read.
 *
 * @module
 */
import type { InArgs, InStatement, InValue } from "@libsql/client";

/** A NUL, or an escape of one or of a surrogate. */
const SUSPECT = /\0|\\u(?:0000|[dD][89a-fA-F])/;

/** What JSON text begins with. Numbers, true, false and null have no text in them. */
const JSON_START = /^[[{"]/;

/**
 * The escape of a NUL or of a surrogate, after backslashes that go by twos: such as are escaped themselves.
 * `JSON.stringify` escapes no surrogate of a whole pair.
 */
const UNFIT_ESCAPE =
  /(?<!\\)((?:\\\\)*)\\u(?:0000|[dD][89a-fA-F][\da-fA-F]{2})/g;

/**
 * The statement with U+FFFD in place of every NUL and every half of a surrogate pair in its arguments, and in place of
 * their escapes in those that are JSON text, as `JSON.stringify` writes it.
 *
 * Nothing is parsed: in plain text that begins like JSON, what looks like such an escape is taken for one.
 */
export function wellFormed(
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
