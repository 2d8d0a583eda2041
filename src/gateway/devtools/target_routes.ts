import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { GridEnv } from "../../core/middleware.ts";
import { checkPage } from "../../http/auth/origin_check.ts";
import { createRouter } from "../../http/router.ts";
import { requestDevtools, requestDevtoolsJson } from "./browser_http_client.ts";
import { type DevtoolsContext, resolveDialer } from "./route_context.ts";
import { createToConnectUrl } from "./connect_urls.ts";
import {
  devtoolsObjectSchema,
  renderTarget,
  TARGET_EXAMPLE,
} from "./render.ts";
import { readPageQuery } from "./page_query.ts";
import { devtoolsProblems, devtoolsRoute } from "./route_parts.ts";
import { checkTargetId, targetIdSchema } from "./target_id.ts";
import { createRouteVariants } from "./route_variants.ts";
import { gatewayProblems } from "../problems.ts";

const newTarget = createRoute({
  ...devtoolsRoute,
  method: "put",
  path: "/sessions/{id}/cdp/json/new",
  operationId: "newTarget",
  summary: "Open a page in a session's browser, as Chrome does",
  description:
    "The whole query is the page's URL: `…/json/new?https://example.com/`; without one it is blank. It is the browser that opens it, in the network that it is in. Only PUT, as with Chrome. Waits for a session that has not started yet.",
  responses: {
    200: {
      description: "The page, with the grid's addresses",
      content: {
        "application/json": {
          schema: devtoolsObjectSchema,
          example: TARGET_EXAMPLE,
        },
      },
    },
    ...devtoolsProblems(),
  },
});

const params = devtoolsRoute.request.params.extend({
  target_id: targetIdSchema,
});

/** What Chrome can be told to do with a page. */
const COMMANDS = [
  {
    verb: "close",
    operationId: "closeTarget",
    summary: "Close a page of a session's browser, as Chrome does",
    words: "Target is closing",
  },
  {
    verb: "activate",
    operationId: "activateTarget",
    summary: "Bring a page of a session's browser to the front, as Chrome does",
    words: "Target activated",
  },
] as const;

function createCommandRoute(
  { verb, operationId, summary, words }: typeof COMMANDS[number],
) {
  return createRoute({
    ...devtoolsRoute,
    method: "get",
    path: `/sessions/{id}/cdp/json/${verb}/{target_id}`,
    operationId,
    summary,
    request: { params },
    responses: {
      200: {
        description: "What Chrome says",
        content: { "text/plain": { schema: z.string(), example: words } },
      },
      ...devtoolsProblems(
        gatewayProblems.target_not_found,
        "origin_not_allowed",
      ),
    },
  });
}

/** What tools do with the pages of a browser. */
export function createTargetRoutes(
  parts: DevtoolsContext,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  for (const route of createRouteVariants(newTarget)) {
    router.openapi(route, async (c) => {
      const { id } = c.req.valid("param");
      const target = await requestDevtoolsJson(
        await resolveDialer(parts, c, id),
        {
          method: "PUT",
          path: `/json/new${readPageQuery(c)}`,
          schema: devtoolsObjectSchema,
          signal: c.req.raw.signal,
        },
      );
      return c.json(
        renderTarget(target, await createToConnectUrl(parts, c, id)),
        200,
      );
    });
  }
  for (const command of COMMANDS) {
    for (const route of createRouteVariants(createCommandRoute(command))) {
      router.openapi(route, async (c) => {
        // It changes something, though it is a GET.
        checkPage(parts.core.settings, c);
        const { id, target_id } = c.req.valid("param");
        const path = `/json/${command.verb}/${checkTargetId(target_id)}`;
        const { signal } = c.req.raw;
        const dialer = await resolveDialer(parts, c, id);
        const { body } = await requestDevtools(dialer, { path, signal });
        return c.text(body, 200);
      });
    }
  }
  return router;
}
