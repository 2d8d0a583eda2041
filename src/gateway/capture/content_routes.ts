import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { GridError } from "../../core/errors.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter } from "../../http/router.ts";
import type { CdpSession } from "./cdp_session.ts";
import { emptyCapture } from "./empty_capture.ts";
import {
  captureProblems,
  captureRoute,
  pageQuerySchema,
} from "./route_parts.ts";
import { type CaptureContext, openPage } from "./open_page.ts";
import { gatewayProblems } from "../problems.ts";

const content = createRoute({
  ...captureRoute,
  path: "/sessions/{id}/content",
  operationId: "sessionContent",
  summary: "Get the HTML of a session's page as it is now",
  description:
    "With what scripts have made of it. In a browser it is shown without scripts, and loads nothing. Waits for a session that has not started yet.",
  request: { ...captureRoute.request, query: pageQuerySchema },
  responses: {
    200: {
      description: "The document",
      content: {
        "text/html": {
          schema: z.string(),
          example: "<!DOCTYPE html><html><head></head><body></body></html>",
        },
      },
    },
    ...captureProblems(),
  },
});

/** A foreign page is shown under the grid's own address: it must do nothing there, and send nothing anywhere. */
const SANDBOX_HEADERS = {
  "Content-Security-Policy":
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};

/** How often a document that is gone is asked for again. */
const RETRIES = 3;

const documentSchema = z.object({ root: z.object({ nodeId: z.int() }) });

const htmlSchema = z.object({ outerHTML: z.string() });

/** The HTML of pages. */
export function createContentRoutes(
  parts: CaptureContext,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(content, async (c) => {
    const { id } = c.req.valid("param");
    const ref = { id, targetId: c.req.valid("query").target_id };
    using open = await openPage(parts, c, ref);
    return c.body(await readHtml(open.page), 200, {
      "Content-Type": "text/html; charset=utf-8",
      ...SANDBOX_HEADERS,
    });
  });
  return router;
}

/** Asks the browser, not the page, whose scripts may have changed what they are asked with. */
async function readHtml(page: CdpSession): Promise<string> {
  for (let triesLeft = RETRIES;; triesLeft--) {
    const { root: { nodeId } } = await page.call({
      method: "DOM.getDocument",
      params: { depth: 0 },
      result: documentSchema,
    });
    try {
      const { outerHTML } = await page.call({
        method: "DOM.getOuterHTML",
        params: { nodeId },
        result: htmlSchema,
      });
      if (outerHTML !== "") return outerHTML;
      throw emptyCapture("document", "one with a root element");
    } catch (error) {
      // The page may have become another in between.
      const isRefused = error instanceof GridError &&
        error.code === gatewayProblems.browser_refused.code;
      if (!isRefused || triesLeft === 0) throw error;
    }
  }
}
