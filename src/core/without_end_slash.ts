/** Removes trailing slashes from `url` in linear time; a pattern such as `/\/+$/` takes quadratic time. */
export function withoutEndSlash(url: string): string {
  let end = url.length;
  while (end > 0 && url[end - 1] === "/") end--;
  return url.slice(0, end);
}
