import { getPath } from "hono/utils/url";
import { removeEndSlash } from "../../core/text.ts";

/** Path of a version of the API. */
const API = /^\/+v\d+(\/|$)/i;

/** Path prefix of the API in the grid's predecessor. */
const ALIAS = /^\/api(?=\/v\d+(\/|$))/;

/** Reports whether `path` is below a version of the API. */
export function isApiPath(path: string): boolean {
  return API.test(path);
}

/** Maps `/api/v1/...` to `/v1/...`. */
export function removeAlias(path: string): string {
  return path.replace(ALIAS, "");
}

/**
 * Returns the function by which a router reads the path of a request. `/api/v1/...` becomes `/v1/...`, and trailing slashes
 * are removed, unless `isRoute` knows the original path.
 */
export function createPathReader(
  isRoute: (path: string) => boolean,
): (request: Request) => string {
  return function plainPath(request) {
    const path = getPath(request);
    if (!ALIAS.test(path) && (path === "/" || !path.endsWith("/"))) return path;
    return isRoute(path) ? path : removeEndSlash(removeAlias(path)) || "/";
  };
}
