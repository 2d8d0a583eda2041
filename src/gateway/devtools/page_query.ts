import type { Context } from "hono";
import { callerIn } from "../../http/auth/access.ts";
import { keyOf } from "../../http/auth/auth.ts";
import { isAnonymous } from "../../core/caller.ts";
import type { GridEnv } from "../../core/middleware.ts";

/**
 * The query of a request, which is a page's URL, as it came: `?https://example.com/?a=b`, or "". Without the token of
 * whoever has shown one there: neither the browser nor the page is to know it.
 */
export function readPageQuery(c: Context<GridEnv>): string {
  const { search } = new URL(c.req.url);
  const { headers } = c.req.raw;
  const inHeaders = keyOf({ headers, query: new URLSearchParams() });
  if (isAnonymous(callerIn(c)) || inHeaders !== undefined) return search;
  const rest = search.slice(1).split("&").filter((part) =>
    !part.startsWith("token=")
  );
  return rest.join("&") === "" ? "" : `?${rest.join("&")}`;
}
