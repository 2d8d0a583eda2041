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
  return `${text.slice(0, head)}… (${left} characters) …${end}`.toWellFormed();
}
