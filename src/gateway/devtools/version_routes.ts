import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { access, allow } from "../../http/auth/access.ts";
import { getBaseUrl } from "../../http/base_url.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { toWebSocketUrl } from "../../http/base_url.ts";
import { createRouter } from "../../http/router.ts";
import { connectQuerySchema } from "../connect_query.ts";
import type { DevtoolsContext } from "./devtools_context.ts";
import {
  devtoolsObjectSchema,
  renderBrowser,
  SOCKET_EXAMPLE,
} from "./render.ts";
import {
  createRouteVariants,
  devtoolsProblems,
  devtoolsRoute,
} from "./devtools_route.ts";

const version = {
  description: "Chrome's description of itself, with the grid's URL",
  content: {
    "application/json": {
      schema: devtoolsObjectSchema,
      example: {
        "Browser": "Chrome/142.0.7444.59",
        "Protocol-Version": "1.3",
        webSocketDebuggerUrl: SOCKET_EXAMPLE,
      },
    },
  },
};

const sessionVersion = createRoute({
  ...devtoolsRoute,
  method: "get",
  path: "/sessions/{id}/cdp/json/version",
  operationId: "getSessionVersion",
  summary: "Find a session's WebSocket URL, as clients of Chrome do",
  responses: { 200: version, ...devtoolsProblems() },
});

const connectVersion = createRoute({
  method: "get",
  path: "/connect/json/version",
  operationId: "getConnectVersion",
  "x-roles": access("client")["x-roles"],
  tags: devtoolsRoute.tags,
  summary: "Find the WebSocket URL that creates a session",
  description:
    "The query is copied into the URL and checked when a client connects.",
  request: { query: connectQuerySchema },
  responses: { 200: version },
});

/** Creates the routes at which clients with an HTTP URL find the WebSocket URL. */
export function createVersionRoutes(
  context: DevtoolsContext,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  for (const route of createRouteVariants(sessionVersion)) {
    router.openapi(route, async (c) => {
      const { id } = c.req.valid("param");
      const { SessionBrowser } = await import("./session_browser.ts");
      const browser = await SessionBrowser.open(context, c, id);
      const version = await browser.requestJson({
        path: "/json/version",
        schema: devtoolsObjectSchema,
      });
      return c.json(renderBrowser(version, await browser.createUrls()), 200);
    });
  }
  router.openAPIRegistry.registerPath(connectVersion);
  for (const slash of ["", "/"]) {
    router.get(connectVersion.path + slash, allow("client"), (c) => {
      const origin = toWebSocketUrl(getBaseUrl(c));
      return c.json({
        "Browser": "Browsergrid",
        "Protocol-Version": "1.3",
        webSocketDebuggerUrl: `${origin}/v1/connect${
          new URL(c.req.url).search
        }`,
      });
    });
  }
  return router;
}
