/** Blanks and comments before the first word. */
const START = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/)+/;

/** Removes the blanks and comments at the start of `sql`. */
export function stripLeadingComments(sql: string): string {
  return sql.replace(START, "");
}

/**
 * Reports whether `sql`, one statement, certainly changes nothing. In doubt the result is false, which costs only a lock
 * that was not needed.
 */
export function isReadOnly(sql: string): boolean {
  const text = stripLeadingComments(sql);
  if (/^(select|values|explain)\b/i.test(text)) return true;
  return /^with\b/i.test(text) &&
    !/\b(insert|update|delete|replace)\b/i.test(text);
}
