import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { parseAccept } from "hono/utils/accept";
import type { GridEnv } from "../core/middleware.ts";
import { declareRoute } from "../http/auth/access.ts";
import {
  getBaseUrl,
  renderLocation,
  toWebSocketUrl,
} from "../http/base_url.ts";
import { createRouter } from "../http/router.ts";

const linkSchema = z.string().describe("URL, as the client reaches the server");

const indexSchema = z.object({
  name: z.literal("browsergrid"),
  version: z.string().describe("Version of the server"),
  links: z.object({
    dashboard: linkSchema,
    docs: linkSchema,
    openapi: linkSchema,
    sessions: linkSchema,
    connect: linkSchema,
    health: linkSchema,
    ready: linkSchema,
  }),
}).openapi("Index", {
  description: "Addresses of the server",
  examples: [createIndex("http://127.0.0.1:8765", "0.3.0")],
});

const index = createRoute({
  ...declareRoute({ isOpen: true }),
  method: "get",
  path: "/",
  operationId: "getIndex",
  tags: ["System"],
  summary: "Get the addresses of the server, or show the dashboard",
  description:
    "Clients that prefer HTML to JSON, such as browsers, receive the dashboard.",
  responses: {
    200: {
      description: "Addresses of the server, or the dashboard",
      content: {
        "application/json": { schema: indexSchema },
        "text/html": { schema: z.string() },
      },
    },
  },
});

/** Returns the route of `/`: the dashboard for browsers, else the addresses of the server. */
export function createIndexRoutes(version: string): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(index, async (c) => {
    c.header("vary", "Accept");
    if (!prefersHtml(c.req.header("accept"))) {
      c.header("cache-control", "no-store");
      return c.json(createIndex(getBaseUrl(c), version), 200);
    }
    const { PAGE_HEADERS, renderPage } = await import("./page.ts");
    return c.html(renderPage(renderLocation(c, "")), 200, PAGE_HEADERS);
  });
  return router;
}

/** Reports whether a client names HTML and prefers it to JSON, as browsers do. */
function prefersHtml(accept = ""): boolean {
  const types = parseAccept(accept);
  const rate = (type: string) => types.find((each) => each.type === type)?.q;
  return (rate("text/html") ?? 0) > (rate("application/json") ?? 0);
}

function createIndex(url: string, version: string) {
  return {
    name: "browsergrid" as const,
    version,
    links: {
      dashboard: `${url}/`,
      docs: `${url}/docs`,
      openapi: `${url}/openapi.json`,
      sessions: `${url}/v1/sessions`,
      connect: `${toWebSocketUrl(url)}/v1/connect`,
      health: `${url}/health`,
      ready: `${url}/ready`,
    },
  };
}
