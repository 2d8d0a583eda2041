import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { allow } from "../../http/auth/access.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter } from "../../http/router.ts";
import { requestDevtools, requestDevtoolsJson } from "./browser_http_client.ts";
import { type DevtoolsContext, resolveDialer } from "./route_context.ts";
import { createToConnectUrl } from "./connect_urls.ts";
import {
  devtoolsObjectSchema,
  renderTarget,
  TARGET_EXAMPLE,
} from "./render.ts";
import { devtoolsProblems, devtoolsRoute } from "./route_parts.ts";
import { createRouteVariants } from "./route_variants.ts";

const targetsSchema = z.array(devtoolsObjectSchema);

const sessionTargets = createRoute({
  ...devtoolsRoute,
  method: "get",
  path: "/sessions/{id}/cdp/json/list",
  operationId: "sessionTargets",
  summary: "List the pages of a session's browser, as Chrome does",
  responses: {
    200: {
      description: "As Chrome gives them, with the grid's addresses",
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

const sessionProtocol = {
  ...devtoolsRoute,
  method: "get" as const,
  path: "/sessions/{id}/cdp/json/protocol",
  operationId: "sessionProtocol",
  summary: "Get the protocol that a session's browser speaks, as Chrome does",
  responses: {
    200: {
      description: "Domains, commands, events and types",
      content: { "application/json": { schema: devtoolsObjectSchema } },
    },
    ...devtoolsProblems(),
  },
};

/** What tools read of a browser. */
export function createListRoutes(parts: DevtoolsContext): OpenAPIHono<GridEnv> {
  const router = createRouter();
  for (
    const route of createRouteVariants(
      sessionTargets,
      "/sessions/{id}/cdp/json",
    )
  ) {
    router.openapi(route, async (c) => {
      const { id } = c.req.valid("param");
      const targets = await requestDevtoolsJson(
        await resolveDialer(parts, c, id),
        {
          path: "/json/list",
          schema: targetsSchema,
          signal: c.req.raw.signal,
        },
      );
      const toUrl = await createToConnectUrl(parts, c, id);
      return c.json(targets.map((target) => renderTarget(target, toUrl)), 200);
    });
  }
  router.openAPIRegistry.registerPath(sessionProtocol);
  for (const slash of ["", "/"]) {
    const path = `/sessions/:id/cdp/json/protocol${slash}` as const;
    router.get(path, allow("client"), async (c) => {
      const { body } = await requestDevtools(
        await resolveDialer(parts, c, c.req.param("id")),
        { path: "/json/protocol", signal: c.req.raw.signal },
      );
      // As it came: a megabyte and a half, with no address in it.
      return c.body(body, 200, { "Content-Type": "application/json" });
    });
  }
  return router;
}
