import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { callerOf } from "../http/auth/auth.ts";
import { DOCS_PATHS } from "../http/openapi/docs_files.ts";
import { defineMiddleware, type GridEnv } from "../core/middleware.ts";

/** Paths of the API's versions. */
const API = /^\/+v\d+(\/|$)/i;

/** Tells who a request comes from, and lets in only who has a key, where one is needed. */
export const apiKey = defineMiddleware({
  name: "api_key",
  optionsSchema: z.strictObject({
    open_paths: z.array(
      // Whoever asks there may do what an admin may: of the API that is everything.
      z.string().refine((path) => !API.test(path), {
        error: "expected no path of the API",
      }),
    ).default([
      "/health",
      "/ready",
      "/openapi.json",
      ...DOCS_PATHS,
    ]).describe(
      "Paths that need no key: whoever asks there may do what an admin may",
    ),
  }),
  create({ open_paths }, { auth }): MiddlewareHandler<GridEnv> {
    const open = new Set(open_paths);
    return async function checkApiKey(c, next) {
      if (!open.has(c.req.path)) {
        const caller = await callerOf(auth, {
          headers: c.req.raw.headers,
          path: c.req.path,
          query: new URL(c.req.url).searchParams,
          isUpgrade: c.get("kind") === "upgrade",
        });
        c.set("caller", caller);
      }
      await next();
    };
  },
});
