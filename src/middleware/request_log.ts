import { z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { v7 as uuid } from "uuid";
import { createAddressReader } from "../http/server/client_address.ts";
import { createLogger } from "../core/log.ts";
import { defineMiddleware, type GridEnv } from "../core/middleware.ts";
import { truncate } from "../core/text.ts";

const log = createLogger("server", "request");

/** A foreign id that may be logged and answered as it is; any other is replaced. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Maximum length of a logged path. */
const MAX_PATH = 500;

/** Message of a request, and of a WebSocket request that the middleware rejected or accepted. */
const ANSWERED = "{method} {path} {status} in {duration_ms} ms";
const REFUSED = `${ANSWERED}: {detail}`;
const LET_IN = "{method} {path} let in after {duration_ms} ms";

/** Gives every request an id (a caller's own is kept) and logs one line for its answer. */
export const requestLog = defineMiddleware({
  name: "request_log",
  optionsSchema: z.strictObject({
    header: z.string().regex(/^[A-Za-z0-9-]+$/).default("X-Request-Id")
      .describe("Header that carries the id in and out"),
    quiet: z.array(z.string()).optional().describe(
      "Endings of paths whose requests are logged at debug, unless they fail. By default the requests that are repeated automatically: health checks, heartbeats and claims",
    ),
  }),
  create({ header, quiet }, { clock, settings }): MiddlewareHandler<GridEnv> {
    const addressOf = createAddressReader(settings.trusted_proxies);
    const isQuiet = (c: Context<GridEnv>) =>
      c.res.status < 400 &&
      (quiet?.some((ending) => c.req.path.endsWith(ending)) ??
        c.get("route")?.declaration.isQuiet);
    return async function logRequest(c, next) {
      const given = c.req.header(header) ?? "";
      const requestId = REQUEST_ID.test(given) ? given : uuid();
      const startedAt = clock.monotonic();
      c.set("requestId", requestId);
      await next();
      c.res.headers.set(header, requestId);
      const isUpgrade = c.get("kind") === "upgrade";
      const isLetIn = isUpgrade && c.res.ok;
      // The client of a WebSocket sees the status at best.
      const detail = isUpgrade ? c.error?.message : undefined;
      const line = isLetIn ? LET_IN : detail === undefined ? ANSWERED : REFUSED;
      log[isQuiet(c) ? "debug" : "info"](line, {
        method: c.req.method,
        // As it came: decoded it may hold line breaks. Without the query, which may carry a token.
        path: truncate(new URL(c.req.url).pathname, MAX_PATH),
        // Of an upgrade that is let in, whoever takes the socket decides.
        ...(isLetIn ? {} : { status: c.res.status }),
        ...(detail === undefined ? {} : { detail }),
        duration_ms: Math.round(clock.monotonic() - startedAt),
        request_id: requestId,
        caller: c.get("caller")?.name,
        client_address: addressOf(c),
      });
    };
  },
});
