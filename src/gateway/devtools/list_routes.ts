import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { allow } from "../../http/auth/access.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter } from "../../http/router.ts";
import { askChrome, askChromeFor } from "./browser_http_client.ts";
import { type ChromeParts, wayOf } from "./route_context.ts";
import { connectUrls } from "./connect_urls.ts";
import { describedSchema, shownTarget, TARGET_EXAMPLE } from "./describe.ts";
import { onBrowser, refusalsOfBrowser } from "./route_parts.ts";
import { variantsOf } from "./variants.ts";

const targetsSchema = z.array(describedSchema);

const sessionTargets = createRoute({
  ...onBrowser,
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
    ...refusalsOfBrowser(),
  },
});

const sessionProtocol = {
  ...onBrowser,
  method: "get" as const,
  path: "/sessions/{id}/cdp/json/protocol",
  operationId: "sessionProtocol",
  summary: "Get the protocol that a session's browser speaks, as Chrome does",
  responses: {
    200: {
      description: "Domains, commands, events and types",
      content: { "application/json": { schema: describedSchema } },
    },
    ...refusalsOfBrowser(),
  },
};

/** What tools read of a browser. */
export function listRoutes(parts: ChromeParts): OpenAPIHono<GridEnv> {
  const router = createRouter();
  for (const route of variantsOf(sessionTargets, "/sessions/{id}/cdp/json")) {
    router.openapi(route, async (c) => {
      const { id } = c.req.valid("param");
      const targets = await askChromeFor(await wayOf(parts, c, id), {
        path: "/json/list",
        schema: targetsSchema,
        signal: c.req.raw.signal,
      });
      const urlOf = await connectUrls(parts, c, id);
      return c.json(targets.map((target) => shownTarget(target, urlOf)), 200);
    });
  }
  router.openAPIRegistry.registerPath(sessionProtocol);
  for (const slash of ["", "/"]) {
    const path = `/sessions/:id/cdp/json/protocol${slash}` as const;
    router.get(path, allow("client"), async (c) => {
      const { body } = await askChrome(
        await wayOf(parts, c, c.req.param("id")),
        { path: "/json/protocol", signal: c.req.raw.signal },
      );
      // As it came: a megabyte and a half, with no address in it.
      return c.body(body, 200, { "Content-Type": "application/json" });
    });
  }
  return router;
}
