/**
 * Truncates text to about `max` characters for logs and responses. Both ends are kept, with the number of omitted
 * characters between them.
 */
export function truncate(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = Math.ceil(max * 0.75);
  const tail = max - head;
  const left = text.length - head - tail;
  const end = tail === 0 ? "" : text.slice(-tail);
  // The cut may have left half of a surrogate pair.
  return `${text.slice(0, head)}\u2026 (${left} characters) \u2026${end}`
    .toWellFormed();
}

/**
 * Matches control characters, which a terminal obeys (ESC, CSI, OSC and the other C0 and C1 controls), and characters that
 * change the direction of text.
 */
export const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** Control characters that are kept: line breaks and tabs. */
export const LAYOUT = new Set(["\n", "\t"]);

/**
 * Escapes characters that a terminal would obey, such as `\x1b` or `\u202e`. Line breaks and tabs are kept.
 */
export function escapeText(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(
    UNSAFE,
    (character) =>
      LAYOUT.has(character) ? character : escapeCharacter(character),
  );
}

/** Escapes such characters in JSON, which may have line breaks between its members. */
export function escapeJson(json: string): string {
  return json.replaceAll(
    UNSAFE,
    (character) => LAYOUT.has(character) ? character : escapeUnicode(character),
  );
}

/** Returns the escape sequence of a character: `\x1b`, `\u202e`. */
export function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  return code <= 0xff
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : escapeUnicode(character);
}

/** Returns the JSON escape sequence of a character. */
export function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Removes trailing slashes from `url` in linear time; a pattern such as `/\/+$/` takes quadratic time. */
export function removeEndSlash(url: string): string {
  let end = url.length;
  while (end > 0 && url[end - 1] === "/") end--;
  return url.slice(0, end);
}

/** Form of a UUID of any version. */
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Reports whether a text has the form of an id. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
