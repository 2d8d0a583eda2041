import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { cors as allow } from "hono/cors";
import { defineMiddleware, type GridEnv } from "../core/middleware.ts";
import { SettingsError } from "../core/settings.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

const REQUEST_HEADERS = [
  "Authorization",
  "Content-Type",
  "Idempotency-Key",
  "X-API-Key",
  "X-Request-Id",
];

/** Response headers that pages can read only if they are exposed. */
const RESPONSE_HEADERS = [
  "Idempotency-Replayed",
  "Location",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "X-Request-Id",
];

/** Allows pages of other origins to call the API, and responds to preflight requests. Does nothing without origins. */
export const cors = defineMiddleware({
  name: "cors",
  optionsSchema: z.strictObject({
    origins: z.array(z.string()).optional().describe(
      'Origins of the pages; "*" for all. By default those of the setting allowed_origins',
    ),
    methods: z.array(z.string()).default(METHODS).describe(
      "Methods that a page may use",
    ),
    headers: z.array(z.string()).default(REQUEST_HEADERS).describe(
      "Headers that a page may send",
    ),
    exposed_headers: z.array(z.string()).default(RESPONSE_HEADERS).describe(
      "Response headers that a page may read",
    ),
    credentials: z.boolean().default(() => false).describe(
      "Allow cookies and HTTP authentication",
    ),
    max_age_seconds: z.int().min(0).default(600).describe(
      "Time that a browser may cache the permission",
    ),
  }),
  create(options, { settings }): MiddlewareHandler<GridEnv> {
    const origins = options.origins ?? settings.allowed_origins;
    const isForAll = origins.includes("*");
    if (isForAll && options.credentials) {
      throw new SettingsError(
        'Cannot use middleware "cors": credentials are allowed to all origins, which browsers reject, expected a list of origins',
      );
    }
    const allowed = allow({
      origin: isForAll ? "*" : origins,
      allowMethods: options.methods,
      allowHeaders: options.headers,
      exposeHeaders: options.exposed_headers,
      credentials: options.credentials,
      maxAge: options.max_age_seconds,
    });
    return async function allowOrigins(c, next) {
      if (origins.length === 0) return await next();
      const origin = c.req.header("origin");
      const isAllowed = origin !== undefined &&
        (isForAll || origins.includes(origin));
      const isPreflight = c.req.method === "OPTIONS" &&
        c.req.header("access-control-request-method") !== undefined;
      if (isAllowed && (isPreflight || c.req.method !== "OPTIONS")) {
        return await allowed(c, next);
      }
      await next();
      // A cache must not serve this response to an allowed page.
      if (!isForAll) c.res.headers.append("vary", "Origin");
    };
  },
});
