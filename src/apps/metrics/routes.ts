import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { GridEnv } from "../../core/middleware.ts";
import type { Settings } from "../../core/settings.ts";
import { declareRoute } from "../../http/auth/access.ts";
import { createRouter } from "../../http/router.ts";
import type { Scraper } from "./scraper.ts";
import { chooseFormat, CONTENT_TYPES, OPENMETRICS } from "./format.ts";

const text = { schema: z.string() };

/** Creates the endpoint that Prometheus scrapes. */
export function createMetricsRoutes(
  scraper: Scraper,
  { metrics_open }: Pick<Settings, "metrics_open">,
): OpenAPIHono<GridEnv> {
  const scrape = createRoute({
    ...declareRoute({
      roles: ["metrics"],
      isOpen: metrics_open,
      isUnlimited: true,
      isQuiet: true,
    }),
    method: "get",
    path: "/metrics",
    tags: ["Metrics"],
    operationId: "getMetrics",
    summary: "Get the metrics, for Prometheus",
    description:
      "The text format of Prometheus, or OpenMetrics if Accept prefers it. At most a second old.",
    responses: {
      200: {
        description: "The metrics",
        content: { "text/plain": text, [OPENMETRICS]: text },
      },
    },
  });
  const router = createRouter();
  router.openapi(scrape, async (c) => {
    const format = chooseFormat(c.req.header("accept") ?? "");
    const body = await scraper.scrape(format);
    c.header("Vary", "Accept", { append: true });
    c.header("Content-Type", CONTENT_TYPES[format]);
    return c.body(body, 200);
  });
  return router;
}
