/** Returns a `file:` URL of `path`. {@linkcode parseFileUrl} restores the path, whatever characters it contains. */
export function toFileUrl(path: string): string {
  // A path that begins with two slashes would be parsed as a host.
  const start = path.startsWith("//") ? "file://" : "file:";
  return start + path.replaceAll("%", "%25");
}

/**
 * Returns the path of a `file:` URL: relative, absolute, or with an empty host. `%20` is a blank, as in every URL; `?`,
 * `#` and a `%` that begins no such escape are literal.
 */
export function parseFileUrl(url: string): string {
  if (url === ":memory:") return url;
  const path = url.replace(/^file:(\/\/(localhost)?(?=\/))?/, "");
  return path.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes; // Not UTF-8, so the text is literal.
    }
  });
}
