/** Headers with a pause in milliseconds, which Azure prefers over whole seconds. */
const MS_HEADERS = ["retry-after-ms", "x-ms-retry-after-ms"];

/** Shortest pause before a rejected request is repeated. */
export const MIN_RETRY_MS = 500;

/**
 * Returns the pause that a response asks for, in milliseconds; undefined if there is none. A pause
 * of 0, and a date in the past, which a slow clock of this host suffices for, count as {@linkcode MIN_RETRY_MS}.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#field.retry-after Retry-After}
 */
export function readRetryAfterMs(headers: Headers): number | undefined {
  for (const name of MS_HEADERS) {
    const ms = readNumber(headers.get(name));
    if (ms !== undefined) return ms === 0 ? MIN_RETRY_MS : ms;
  }
  const text = headers.get("retry-after");
  const seconds = readNumber(text);
  const ms = seconds === undefined
    ? Date.parse(text ?? "") - Date.now()
    : seconds * 1_000;
  return Number.isNaN(ms) ? undefined : Math.max(MIN_RETRY_MS, ms);
}

function readNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,7}$/.test(text) ? Number(text) : undefined;
}
