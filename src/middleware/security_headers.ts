import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { isApiPath } from "../http/server/plain_path.ts";
import { defineMiddleware, type GridEnv } from "../core/middleware.ts";

/** HSTS for half a year. */
const HSTS = "max-age=15552000";

/** Adds headers that limit how browsers use responses. Headers that a route has set are kept. */
export const securityHeaders = defineMiddleware({
  name: "security_headers",
  optionsSchema: z.strictObject({
    strict_transport_security: z.string().min(1).default(HSTS).describe(
      "Strict-Transport-Security; sent only if public_url is https",
    ),
    referrer_policy: z.string().min(1).default("no-referrer").describe(
      "Referrer-Policy",
    ),
    frame_ancestors: z.string().min(1).default("'none'").describe(
      "Pages that may embed responses in a frame, as in Content-Security-Policy",
    ),
  }),
  create(options, { settings }): MiddlewareHandler<GridEnv> {
    const isHttps = settings.public_url?.startsWith("https:") ?? false;
    const defaults = Object.entries({
      // JSON needs neither resources nor scripts.
      "content-security-policy":
        `default-src 'none'; frame-ancestors ${options.frame_ancestors}`,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": options.referrer_policy,
      "x-content-type-options": "nosniff",
      ...(isHttps
        ? { "strict-transport-security": options.strict_transport_security }
        : {}),
    });
    return async function setSecurityHeaders(c, next) {
      await next();
      const { headers } = c.res;
      for (const [name, value] of defaults) {
        if (!headers.has(name)) headers.append(name, value);
      }
      const policy = headers.get("content-security-policy") ?? "";
      if (!mayBeFramed(policy) && !headers.has("x-frame-options")) {
        headers.append("x-frame-options", "DENY");
      }
      headers.delete("x-powered-by");
      if (isApiPath(c.req.path) && !headers.has("cache-control")) {
        // Not by `c.header()`, which would copy the response with its body as a stream.
        headers.set("cache-control", "no-store");
      }
    };
  },
});

/** Reports whether a Content-Security-Policy lets pages embed the response in a frame. */
function mayBeFramed(policy: string): boolean {
  const [, ancestors] = /(?:^|;)\s*frame-ancestors\s+([^;]*)/.exec(policy) ??
    [];
  return ancestors !== undefined && ancestors.trim() !== "'none'";
}
