import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { GridEnv } from "../../core/middleware.ts";
import { isAnonymous } from "../../core/caller.ts";
import { getCaller } from "../../http/auth/access.ts";
import { readKey } from "../../http/auth/auth.ts";
import { checkPage } from "../../http/auth/origin_check.ts";
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
import { checkTargetId, targetIdSchema } from "./target_id.ts";
import { gatewayProblems } from "../problems.ts";

const newTarget = createRoute({
  ...devtoolsRoute,
  method: "put",
  path: "/sessions/{id}/cdp/json/new",
  operationId: "openTarget",
  summary: "Open a page in a session's browser, as Chrome does",
  description:
    "The whole query is the page's URL: `\u2026/json/new?https://example.com/`; without a query the page is blank. The browser opens the URL, from its own network. Only PUT is accepted, as by Chrome. Waits for a session that has not started yet.",
  responses: {
    200: {
      description: "The page, with the grid's URLs",
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

/** Chrome's commands for an open page. */
const COMMANDS = [
  {
    verb: "close",
    operationId: "closeTarget",
    summary: "Close a page of a session's browser, as Chrome does",
    example: "Target is closing",
  },
  {
    verb: "activate",
    operationId: "activateTarget",
    summary: "Bring a page of a session's browser to the front, as Chrome does",
    example: "Target activated",
  },
] as const;

function createCommandRoute(
  { verb, operationId, summary, example }: typeof COMMANDS[number],
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
        description: "Chrome's response",
        content: { "text/plain": { schema: z.string(), example } },
      },
      ...devtoolsProblems(
        gatewayProblems.target_not_found,
        "origin_not_allowed",
      ),
    },
  });
}

/** Creates the routes that open, close and activate a browser's pages. */
export function createTargetRoutes(
  context: DevtoolsContext,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  for (const route of createRouteVariants(newTarget)) {
    router.openapi(route, async (c) => {
      const { id } = c.req.valid("param");
      const { SessionBrowser } = await import("./session_browser.ts");
      const browser = await SessionBrowser.open(context, c, id);
      const target = await browser.requestJson({
        method: "PUT",
        path: `/json/new${readPageQuery(c)}`,
        schema: devtoolsObjectSchema,
      });
      return c.json(renderTarget(target, await browser.createUrls()), 200);
    });
  }
  for (const command of COMMANDS) {
    for (const route of createRouteVariants(createCommandRoute(command))) {
      router.openapi(route, async (c) => {
        // A GET request that changes state needs the origin check.
        checkPage(context.core.settings, c);
        const { id, target_id } = c.req.valid("param");
        const path = `/json/${command.verb}/${checkTargetId(target_id)}`;
        const { SessionBrowser } = await import("./session_browser.ts");
        const browser = await SessionBrowser.open(context, c, id);
        return c.text(await browser.request({ path }), 200);
      });
    }
  }
  return router;
}

/**
 * Returns the query of a request, which is a page's URL, unchanged: `?https://example.com/?a=b`, or "". If the caller has
 * authenticated with a token in the query, the token is removed: neither the browser nor the page may see it.
 */
function readPageQuery(c: Context<GridEnv>): string {
  const { search } = new URL(c.req.url);
  const { headers } = c.req.raw;
  const keyInHeaders = readKey({ headers, query: new URLSearchParams() });
  if (isAnonymous(getCaller(c)) || keyInHeaders !== undefined) return search;
  const rest = search.slice(1).split("&").filter((part) =>
    !part.startsWith("token=")
  );
  return rest.join("&") === "" ? "" : `?${rest.join("&")}`;
}
