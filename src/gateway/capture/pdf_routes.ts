import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { GridEnv } from "../../core/middleware.ts";
import { createFlagSchema } from "../../http/flag_schema.ts";
import { createRouter } from "../../http/router.ts";
import type { CdpSession } from "./cdp_session.ts";
import {
  captureProblems,
  captureRoute,
  pageQuerySchema,
} from "./capture_route.ts";
import type { CaptureContext } from "./open_page.ts";

/** Width and height in inches. */
const PAPER_SIZES = {
  a3: [11.69, 16.54],
  a4: [8.27, 11.69],
  a5: [5.83, 8.27],
  letter: [8.5, 11],
  legal: [8.5, 14],
  tabloid: [11, 17],
} as const;

const query = pageQuerySchema.extend({
  format: z.enum(["a3", "a4", "a5", "letter", "legal", "tabloid"])
    .default("letter").describe("Paper size"),
  width: inchesSchema("Paper width"),
  height: inchesSchema("Paper height"),
  landscape: createFlagSchema("Landscape orientation"),
  print_background: createFlagSchema("Print background colours and images"),
  scale: z.coerce.number().min(0.1).max(2).default(1).openapi({
    type: "number",
    minimum: 0.1,
    maximum: 2,
    description: "Scale of the printed page",
  }),
});

type Query = z.infer<typeof query>;

function inchesSchema(dimension: string) {
  return z.coerce.number().min(1).max(200).optional().openapi({
    type: "number",
    minimum: 1,
    maximum: 200,
    description: `${dimension} in inches; overrides the format`,
  });
}

const pdf = createRoute({
  ...captureRoute,
  path: "/sessions/{id}/pdf",
  operationId: "getSessionPdf",
  summary: "Print a session's page as PDF",
  description:
    "Some browsers can print only when they are headless. Waits for a session that has not started yet.",
  request: { ...captureRoute.request, query },
  responses: {
    200: {
      description: "The document",
      content: {
        "application/pdf": {
          schema: z.string().openapi({ format: "binary" }),
        },
      },
    },
    ...captureProblems(),
  },
});

const pdfSchema = z.object({ stream: z.string() });

/** Creates the route that prints a page as PDF. */
export function createPdfRoutes(context: CaptureContext): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(pdf, async (c) => {
    const { id } = c.req.valid("param");
    const query = c.req.valid("query");
    const { OpenPage } = await import("./open_page.ts");
    const ref = { id, targetId: query.target_id };
    using resources = new DisposableStack();
    const open = resources.use(await OpenPage.open(context, c, ref));
    const handle = await printPdf(open.cdp, query);
    const { readStream } = await import("./read_stream.ts");
    const document = await readStream(open, handle);
    resources.move(); // From here on the document disposes the page.
    // The document is not held in memory, so other captures need not wait for its end.
    open.releaseLock();
    return c.body(document, 200, {
      "Content-Type": "application/pdf",
      "X-Content-Type-Options": "nosniff",
    });
  });
  return router;
}

/**
 * Prints the page and returns the handle of the document at the browser.
 *
 * @see {@link https://chromedevtools.github.io/devtools-protocol/tot/Page/#method-printToPDF Page.printToPDF}
 */
async function printPdf(
  cdp: CdpSession,
  { format, width, height, landscape, print_background, scale }: Query,
): Promise<string> {
  const [paperWidth, paperHeight] = PAPER_SIZES[format];
  const { stream } = await cdp.call({
    method: "Page.printToPDF",
    params: {
      landscape,
      scale,
      printBackground: print_background,
      paperWidth: width ?? paperWidth,
      paperHeight: height ?? paperHeight,
      // As base64 in the response the whole document would be held in memory.
      transferMode: "ReturnAsStream",
    },
    result: pdfSchema,
  });
  return stream;
}
