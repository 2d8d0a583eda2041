/** A `file:` URL of `path`, which {@linkcode pathOf} gives back whatever characters it has. */
export function fileUrl(path: string): string {
  // What begins with two slashes would be taken for a host.
  const start = path.startsWith("//") ? "file://" : "file:";
  return start + path.replaceAll("%", "%25");
}

/**
 * Path of a `file:` URL: relative, absolute, or with an empty host. `%20` is a blank, as in every URL; a `%` that begins
 * no such escape, `?` and `#` stand for themselves.
 */
export function pathOf(url: string): string {
  if (url === ":memory:") return url;
  const path = url.replace(/^file:(\/\/(localhost)?(?=\/))?/, "");
  return path.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes; // No UTF-8: not meant as escapes.
    }
  });
}
