/** A pattern without classes and escapes, such as `^ab|c$`, for letters of any case: JSON Schema has no flag for that. */
export function anyCase(pattern: string): string {
  return pattern.replaceAll(
    /[a-z]/gi,
    (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`,
  );
}
