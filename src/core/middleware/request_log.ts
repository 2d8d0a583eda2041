import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { v7 as uuid } from "uuid";
import { logOf } from "../log.ts";
import { defineMiddleware, type GridEnv } from "../middleware.ts";

const log = logOf("server", "request");

/** A foreign id that may be logged and answered as it is; any other is replaced. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Paths of what asks again and again by itself. */
const QUIET = ["/health", "/ready", "/metrics", "/heartbeat", "/claim-session"];

/** Gives every request an id (a caller's own is kept) and logs one line for its answer. */
export const requestLog = defineMiddleware({
  name: "request_log",
  optionsSchema: z.strictObject({
    header: z.string().min(1).default("X-Request-Id").describe(
      "Header that carries the id in and out",
    ),
    quiet: z.array(z.string()).default(QUIET).describe(
      "Endings of paths whose requests are logged at debug, unless they fail",
    ),
  }),
  create({ header, quiet }, { clock }): MiddlewareHandler<GridEnv> {
    return async function logRequest(c, next) {
      const given = c.req.header(header) ?? "";
      const requestId = REQUEST_ID.test(given) ? given : uuid();
      const startedAt = clock.monotonic();
      c.set("requestId", requestId);
      await next();
      c.res.headers.set(header, requestId);
      // The path only: a query may carry a token.
      const isQuiet = c.res.status < 400 &&
        quiet.some((ending) => c.req.path.endsWith(ending));
      log[isQuiet ? "debug" : "info"](
        "{method} {path} {status} in {duration_ms} ms",
        {
          method: c.req.method,
          path: c.req.path,
          status: c.res.status,
          duration_ms: Math.round(clock.monotonic() - startedAt),
          request_id: requestId,
          caller: c.get("caller")?.name,
        },
      );
    };
  },
});
