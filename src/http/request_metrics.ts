import type { MiddlewareHandler } from "hono";
import type { Clock } from "../async/clock.ts";
import type { GridEnv } from "../core/middleware.ts";
import type { MetricRegistry } from "../core/metrics/registry.ts";

/** Methods that have a label of their own. A client may send any other. */
const METHODS = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
]);

/** Route of requests without a declared one. */
const UNMATCHED = "unmatched";

/** Bounds of the durations, in seconds. Some requests wait for their result for half a minute. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const LABELS = {
  route: `Declared path, such as /v1/sessions/{id}, or ${UNMATCHED}`,
  method: "Method, or other",
};

/**
 * Returns middleware that counts the responses to all requests by their route, never by their path. An upgrade that the
 * middleware accepts is counted with the code 101, even if its route rejects it later.
 */
export function measureRequests(
  metrics: MetricRegistry,
  clock: Pick<Clock, "monotonic">,
): MiddlewareHandler<GridEnv> {
  const scope = "process";
  const requests = metrics.counter({
    name: "browsergrid_http_requests_total",
    help:
      "Requests; repeated rejections for overload are left out, and 101 is an upgrade that its route may still reject",
    labels: { ...LABELS, code: "Status of the response" },
    scope,
  });
  const seconds = metrics.histogram({
    name: "browsergrid_http_request_seconds",
    help:
      "Time from the arrival of a request to its response, without upgrades",
    labels: LABELS,
    scope,
  }, BOUNDS);
  return async function measureRequest(c, next) {
    const startedAt = clock.monotonic();
    await next();
    const route = c.get("route")?.pattern ?? UNMATCHED;
    const method = METHODS.has(c.req.method) ? c.req.method : "other";
    const isUpgrade = c.get("kind") === "upgrade";
    const code = isUpgrade && c.res.ok ? 101 : c.res.status;
    requests.of(route, method, String(code)).add();
    if (isUpgrade) return;
    seconds.of(route, method).observe((clock.monotonic() - startedAt) / 1_000);
  };
}
