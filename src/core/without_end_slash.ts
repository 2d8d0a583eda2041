/** `url` without slashes at its end. Takes linear time, which a pattern such as `/\/+$/` does not. */
export function withoutEndSlash(url: string): string {
  let end = url.length;
  while (end > 0 && url[end - 1] === "/") end--;
  return url.slice(0, end);
}
