/** Blanks and comments before the first word. */
const START = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/)+/;

/**
 * Whether `sql`, one statement, changes nothing for certain. A doubt counts as no: all that costs is a lock that was
 * not needed.
 */
export function readsOnly(sql: string): boolean {
  const text = sql.replace(START, "");
  if (/^(select|values|explain)\b/i.test(text)) return true;
  return /^with\b/i.test(text) &&
    !/\b(insert|update|delete|replace)\b/i.test(text);
}
