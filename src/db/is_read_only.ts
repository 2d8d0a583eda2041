import { lruTouch } from "../async/lru.ts";

/** Blanks and comments before the first word. */
const START = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/)+/;

/** Removes the blanks and comments at the start of `sql`. */
export function stripLeadingComments(sql: string): string {
  return sql.replace(START, "");
}

/** Maximum number of remembered results. */
const MAX_KNOWN = 500;

/** Results for the statements in use, whose texts have up to several kilobytes. */
const known = new Map<string, boolean>();

/**
 * Reports whether `sql`, one statement, certainly changes nothing. In doubt the result is false, which costs only a lock
 * that was not needed.
 */
export function isReadOnly(sql: string): boolean {
  const isRead = known.get(sql) ?? readsOnly(sql);
  lruTouch(known, [sql, isRead], MAX_KNOWN);
  return isRead;
}

function readsOnly(sql: string): boolean {
  const text = stripLeadingComments(sql);
  if (/^(select|values|explain)\b/i.test(text)) return true;
  return /^with\b/i.test(text) &&
    !/\b(insert|update|delete|replace)\b/i.test(text);
}
