import { uuidv7 } from "uuidv7";
import { z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { createAddressReader } from "../http/server/client_address.ts";
import { getRequestUrl } from "../http/request_url.ts";
import { createLogger } from "../core/log.ts";
import { defineMiddleware, type GridEnv } from "../core/middleware.ts";
import { truncate } from "../core/text.ts";

const log = createLogger("server", "request");

/** Form of a request's id that is kept; any other is replaced. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Maximum length of a logged path. */
const MAX_PATH = 500;

/** Message of a request, and of a WebSocket request that the middleware rejected or accepted. */
const COMPLETED = "{method} {path} {status} in {duration_ms} ms";
const REJECTED = `${COMPLETED}: {detail}`;
const ACCEPTED = "{method} {path} accepted after {duration_ms} ms";

/** Assigns an id to every request, unless it has one, and logs one line for its response. */
export const requestLog = defineMiddleware({
  name: "request_log",
  optionsSchema: z.strictObject({
    header: z.string().regex(/^[A-Za-z0-9-]+$/).default("X-Request-Id")
      .describe("Header of the id in requests and responses"),
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
      const received = c.req.header(header) ?? "";
      const requestId = REQUEST_ID.test(received) ? received : uuidv7();
      const startedAt = clock.monotonic();
      c.set("requestId", requestId);
      await next();
      c.res.headers.set(header, requestId);
      const isUpgrade = c.get("kind") === "upgrade";
      const isAccepted = isUpgrade && c.res.ok;
      // A WebSocket client sees at most the status.
      const detail = isUpgrade ? c.error?.message : undefined;
      const line = isAccepted
        ? ACCEPTED
        : detail === undefined
        ? COMPLETED
        : REJECTED;
      const level = isQuiet(c) ? "debug" : "info";
      if (!log.isEnabledFor(level)) return;
      log[level](line, {
        method: c.req.method,
        // Not decoded, because it may contain line breaks; without the query, which may contain a token.
        path: truncate(getRequestUrl(c).pathname, MAX_PATH),
        // The status of an accepted upgrade is decided later.
        ...(isAccepted ? {} : { status: c.res.status }),
        ...(detail === undefined ? {} : { detail }),
        duration_ms: Math.round(clock.monotonic() - startedAt),
        request_id: requestId,
        trace_id: c.get("trace")?.traceId,
        caller: c.get("caller")?.name,
        client_address: addressOf(c),
      });
    };
  },
});
