/**
 * Returns a case-insensitive form of a pattern without classes and escapes, such as `^ab|c$`. JSON Schema has no flag
 * for it.
 */
export function anyCase(pattern: string): string {
  return pattern.replaceAll(
    /[a-z]/gi,
    (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`,
  );
}
