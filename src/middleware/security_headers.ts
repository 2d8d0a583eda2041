import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
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
    const isFramed = options.frame_ancestors !== "'none'";
    const secure = secureHeaders({
      overwrite: false,
      // JSON needs neither resources nor scripts.
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        frameAncestors: [options.frame_ancestors],
      },
      referrerPolicy: options.referrer_policy,
      strictTransportSecurity: isHttps && options.strict_transport_security,
      xFrameOptions: isFramed ? false : "DENY",
      xDnsPrefetchControl: false,
      xDownloadOptions: false,
      xPermittedCrossDomainPolicies: false,
      xXssProtection: false,
      originAgentCluster: false,
    });
    return async function setSecurityHeaders(c, next) {
      await secure(c, next);
      if (isApiPath(c.req.path) && !c.res.headers.has("cache-control")) {
        c.header("Cache-Control", "no-store");
      }
    };
  },
});
