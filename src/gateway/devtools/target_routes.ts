import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { GridEnv } from "../../core/middleware.ts";
import { checkPage } from "../../http/auth/origin_check.ts";
import { createRouter } from "../../http/router.ts";
import { askChrome, askChromeFor } from "./browser_http_client.ts";
import { type ChromeParts, wayOf } from "./route_context.ts";
import { connectUrls } from "./connect_urls.ts";
import { describedSchema, shownTarget, TARGET_EXAMPLE } from "./describe.ts";
import { pageQuery } from "./page_query.ts";
import { onBrowser, refusalsOfBrowser } from "./route_parts.ts";
import { checkTargetId, targetIdSchema } from "./target_id.ts";
import { variantsOf } from "./variants.ts";
import { gatewayProblems } from "../problems.ts";

const newTarget = createRoute({
  ...onBrowser,
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
          schema: describedSchema,
          example: TARGET_EXAMPLE,
        },
      },
    },
    ...refusalsOfBrowser(),
  },
});

const params = onBrowser.request.params.extend({ target_id: targetIdSchema });

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

function routeOf(
  { verb, operationId, summary, words }: typeof COMMANDS[number],
) {
  return createRoute({
    ...onBrowser,
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
      ...refusalsOfBrowser(
        gatewayProblems.target_not_found,
        "origin_not_allowed",
      ),
    },
  });
}

/** What tools do with the pages of a browser. */
export function targetRoutes(parts: ChromeParts): OpenAPIHono<GridEnv> {
  const router = createRouter();
  for (const route of variantsOf(newTarget)) {
    router.openapi(route, async (c) => {
      const { id } = c.req.valid("param");
      const target = await askChromeFor(await wayOf(parts, c, id), {
        method: "PUT",
        path: `/json/new${pageQuery(c)}`,
        schema: describedSchema,
        signal: c.req.raw.signal,
      });
      return c.json(shownTarget(target, await connectUrls(parts, c, id)), 200);
    });
  }
  for (const command of COMMANDS) {
    for (const route of variantsOf(routeOf(command))) {
      router.openapi(route, async (c) => {
        // It changes something, though it is a GET.
        checkPage(parts.core.settings, c);
        const { id, target_id } = c.req.valid("param");
        const path = `/json/${command.verb}/${checkTargetId(target_id)}`;
        const { signal } = c.req.raw;
        const way = await wayOf(parts, c, id);
        const { body } = await askChrome(way, { path, signal });
        return c.text(body, 200);
      });
    }
  }
  return router;
}
