import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { access, allow } from "../../http/auth/access.ts";
import { baseUrlIn } from "../../http/base_url.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { webSocketBase } from "../../http/public_origin.ts";
import { createRouter } from "../../http/router.ts";
import { connectQuerySchema } from "../connect_query.ts";
import { requestDevtoolsJson } from "./browser_http_client.ts";
import { type DevtoolsContext, resolveDialer } from "./route_context.ts";
import { createToConnectUrl } from "./connect_urls.ts";
import {
  devtoolsObjectSchema,
  renderBrowser,
  SOCKET_EXAMPLE,
} from "./render.ts";
import { devtoolsProblems, devtoolsRoute } from "./route_parts.ts";
import { createRouteVariants } from "./route_variants.ts";

const version = {
  description: "As Chrome gives it, with the grid's address",
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
  operationId: "sessionVersion",
  summary: "Find a session's WebSocket, as clients of Chrome do",
  responses: { 200: version, ...devtoolsProblems() },
});

const connectVersion = createRoute({
  method: "get",
  path: "/connect/json/version",
  operationId: "connectVersion",
  "x-roles": access("client")["x-roles"],
  tags: devtoolsRoute.tags,
  summary: "Find the WebSocket that makes a session",
  description: "Its parameters go on into the address; they are checked there.",
  request: { query: connectQuerySchema },
  responses: { 200: version },
});

/** How clients that are given an HTTP address find the WebSocket. */
export function createVersionRoutes(
  parts: DevtoolsContext,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  for (const route of createRouteVariants(sessionVersion)) {
    router.openapi(route, async (c) => {
      const { id } = c.req.valid("param");
      const browser = await requestDevtoolsJson(
        await resolveDialer(parts, c, id),
        {
          path: "/json/version",
          schema: devtoolsObjectSchema,
          signal: c.req.raw.signal,
        },
      );
      return c.json(
        renderBrowser(browser, await createToConnectUrl(parts, c, id)),
        200,
      );
    });
  }
  router.openAPIRegistry.registerPath(connectVersion);
  for (const slash of ["", "/"]) {
    router.get(connectVersion.path + slash, allow("client"), (c) => {
      const origin = webSocketBase(baseUrlIn(c));
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
