import type { Context } from "hono";
import type { GridEnv } from "../core/middleware.ts";

/** Returns the URL of a request, parsed once. Callers must not modify it. */
export function getRequestUrl(c: Context<GridEnv>): URL {
  let url = c.get("url");
  if (!url) c.set("url", url = new URL(c.req.url));
  return url;
}
