import type { MiddlewareHandler } from "hono";
import type { Clock } from "../async/clock.ts";
import type { GridEnv } from "../core/middleware.ts";
import { parseTraceparent } from "../core/trace/trace_context.ts";
import type { Tracer } from "../core/trace/tracer.ts";

/**
 * Returns middleware that reads `traceparent`, and records a span for each request with a sampled one. An invalid header is
 * ignored. A request whose key is rejected has no span, nor has an upgrade.
 */
export function traceRequests(
  tracer: Tracer | undefined,
  clock: Pick<Clock, "now">,
): MiddlewareHandler<GridEnv> {
  return async function traceRequest(c, next) {
    const parent = parseTraceparent(c.req.header("traceparent"));
    if (!parent) return await next();
    const isUpgrade = c.get("kind") === "upgrade";
    const trace = isUpgrade ? parent : tracer?.begin(parent) ?? parent;
    const startAt = clock.now();
    c.set("trace", trace);
    await next();
    if (!tracer || isUpgrade || c.get("caller") === undefined) return;
    const { status } = c.res;
    const route = c.get("route")?.pattern;
    const method = route === undefined ? "other" : c.req.method;
    tracer.end(trace, parent, {
      name: route === undefined ? "HTTP" : `${method} ${route}`,
      kind: "server",
      startAt,
      endAt: clock.now(),
      attributes: {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
        "browsergrid.request_id": c.get("requestId"),
      },
      ...(status >= 500 ? { error: `responded with ${status}` } : {}),
    });
  };
}
