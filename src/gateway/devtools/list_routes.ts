import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { allow } from "../../http/auth/access.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter } from "../../http/router.ts";
import type { DevtoolsContext } from "./devtools_context.ts";
import {
  devtoolsObjectSchema,
  renderTarget,
  TARGET_EXAMPLE,
} from "./render.ts";
import {
  createRouteVariants,
  devtoolsProblems,
  devtoolsRoute,
} from "./devtools_route.ts";

const targetsSchema = z.array(devtoolsObjectSchema);

const sessionTargets = createRoute({
  ...devtoolsRoute,
  method: "get",
  path: "/sessions/{id}/cdp/json/list",
  operationId: "listSessionTargets",
  summary: "List the pages of a session's browser, as Chrome does",
  responses: {
    200: {
      description: "Chrome's list, with the grid's URLs",
      content: {
        "application/json": {
          schema: targetsSchema,
          example: [TARGET_EXAMPLE],
        },
      },
    },
    ...devtoolsProblems(),
  },
});

const sessionProtocol = createRoute({
  ...devtoolsRoute,
  method: "get",
  path: "/sessions/{id}/cdp/json/protocol",
  operationId: "getSessionProtocol",
  summary: "Get the protocol that a session's browser speaks, as Chrome does",
  responses: {
    200: {
      description: "Domains, commands, events and types",
      content: { "application/json": { schema: devtoolsObjectSchema } },
    },
    ...devtoolsProblems(),
  },
});

/** Creates the routes that list a browser's targets and describe its protocol. */
export function createListRoutes(
  context: DevtoolsContext,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  const listVariants = createRouteVariants(
    sessionTargets,
    "/sessions/{id}/cdp/json",
  );
  for (const route of listVariants) {
    router.openapi(route, async (c) => {
      const { id } = c.req.valid("param");
      const { SessionBrowser } = await import("./session_browser.ts");
      const browser = await SessionBrowser.open(context, c, id);
      const targets = await browser.requestJson({
        path: "/json/list",
        schema: targetsSchema,
      });
      const toUrl = await browser.createUrls();
      return c.json(targets.map((target) => renderTarget(target, toUrl)), 200);
    });
  }
  router.openAPIRegistry.registerPath(sessionProtocol);
  for (const slash of ["", "/"]) {
    const path = `${sessionProtocol.getRoutingPath()}${slash}` as const;
    router.get(path, allow("client"), async (c) => {
      const { SessionBrowser } = await import("./session_browser.ts");
      const id = c.req.param("id");
      const browser = await SessionBrowser.open(context, c, id);
      const body = await browser.request({ path: "/json/protocol" });
      // Not parsed: it has 1.5 MB and contains no address.
      return c.body(body, 200, { "Content-Type": "application/json" });
    });
  }
  return router;
}
