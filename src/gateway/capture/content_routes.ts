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
} from "./capture_route.ts";
import type { CaptureContext } from "./open_page.ts";
import { gatewayProblems } from "../problems.ts";

const content = createRoute({
  ...captureRoute,
  path: "/sessions/{id}/content",
  operationId: "getSessionContent",
  summary: "Get the current HTML of a session's page",
  description:
    "Includes the changes that scripts have made. The response headers keep a browser that displays it from running scripts and loading resources. Waits for a session that has not started yet.",
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

/** Headers that sandbox the document: it is served under the grid's origin and must not run scripts or send requests. */
const SANDBOX_HEADERS = {
  "Content-Security-Policy":
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};

/** Number of retries when the document is replaced during the capture. */
const RETRIES = 3;

const documentSchema = z.object({ root: z.object({ nodeId: z.int() }) });

const htmlSchema = z.object({ outerHTML: z.string() });

/** Creates the route that returns the HTML of a page. */
export function createContentRoutes(
  context: CaptureContext,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(content, async (c) => {
    const { id } = c.req.valid("param");
    const { OpenPage } = await import("./open_page.ts");
    const ref = { id, targetId: c.req.valid("query").target_id };
    using open = await OpenPage.open(context, c, ref);
    return c.body(await readHtml(open.cdp), 200, {
      "Content-Type": "text/html; charset=utf-8",
      ...SANDBOX_HEADERS,
    });
  });
  return router;
}

/** Reads the HTML with the DOM domain: scripts of the page cannot influence it, as they could with `Runtime.evaluate`. */
async function readHtml(cdp: CdpSession): Promise<string> {
  for (let triesLeft = RETRIES;; triesLeft--) {
    const { root: { nodeId } } = await cdp.call({
      method: "DOM.getDocument",
      params: { depth: 0 },
      result: documentSchema,
    });
    try {
      const { outerHTML } = await cdp.call({
        method: "DOM.getOuterHTML",
        params: { nodeId },
        result: htmlSchema,
      });
      if (outerHTML !== "") return outerHTML;
      throw emptyCapture("document", "one with a root element");
    } catch (error) {
      // The page may have navigated between the two commands.
      const isRefused = error instanceof GridError &&
        error.code === gatewayProblems.browser_refused.code;
      if (!isRefused || triesLeft === 0) throw error;
    }
  }
}
