import { getPath } from "hono/utils/url";
import { withoutEndSlash } from "./without_end_slash.ts";

/** Prefix under which apps of the grid's predecessor had the API. */
const ALIAS = /^\/api(?=\/v\d+(\/|$))/;

/** `/api/v1/…` is another name of `/v1/…`. */
export function withoutAlias(path: string): string {
  return path.replace(ALIAS, "");
}

/**
 * Makes a router's function that reads the path of a request: `/api/v1/…` is `/v1/…`, and slashes at the end do not
 * count, unless `isRoute` knows the path as it came.
 */
export function plainPathOf(
  isRoute: (path: string) => boolean,
): (request: Request) => string {
  return function plainPath(request) {
    const path = getPath(request);
    if (!ALIAS.test(path) && (path === "/" || !path.endsWith("/"))) return path;
    return isRoute(path) ? path : withoutEndSlash(withoutAlias(path)) || "/";
  };
}
