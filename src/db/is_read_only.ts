/** Blanks and comments before the first word. */
const START = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/)+/;

/** What stands behind the blanks and comments at the start of `sql`. */
export function stripLeadingComments(sql: string): string {
  return sql.replace(START, "");
}

/**
 * Whether `sql`, one statement, changes nothing for certain. A doubt counts as no: all that costs is a lock that was
 * not needed.
 */
export function isReadOnly(sql: string): boolean {
  const text = stripLeadingComments(sql);
  if (/^(select|values|explain)\b/i.test(text)) return true;
  return /^with\b/i.test(text) &&
    !/\b(insert|update|delete|replace)\b/i.test(text);
}
