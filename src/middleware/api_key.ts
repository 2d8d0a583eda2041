import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { authenticateRequest } from "../http/auth/auth.ts";
import { getBaseUrl } from "../http/base_url.ts";
import { getRequestUrl } from "../http/request_url.ts";
import { isApiPath } from "../http/server/plain_path.ts";
import { defineMiddleware, type GridEnv } from "../core/middleware.ts";

/** Determines the caller of a request, and rejects requests without a valid key if keys are needed. */
export const apiKey = defineMiddleware({
  name: "api_key",
  optionsSchema: z.strictObject({
    open_paths: z.array(
      // Requests there have the rights of an admin.
      z.string().refine((path) => !isApiPath(path), {
        error: "expected no path of the API",
      }),
    ).optional().describe(
      "Paths that need no key, where requests have the rights of an admin. By default those that declare it: health checks, the OpenAPI document and its page",
    ),
  }),
  create({ open_paths }, { auth }): MiddlewareHandler<GridEnv> {
    const open = open_paths && new Set(open_paths);
    return async function checkApiKey(c, next) {
      const route = c.get("route");
      const isDeclared = route?.declaration.isOpen;
      // The option lists no path of the API, of which the sign-in itself checks a key.
      const isOpen = isApiPath(c.req.path)
        ? isDeclared
        : open?.has(c.req.path) ?? isDeclared;
      if (!isOpen) {
        const caller = await authenticateRequest(auth, {
          method: c.req.method,
          headers: c.req.raw.headers,
          baseUrl: getBaseUrl(c),
          route,
          query: getRequestUrl(c).searchParams,
          isUpgrade: c.get("kind") === "upgrade",
        });
        c.set("caller", caller);
      }
      await next();
    };
  },
});
