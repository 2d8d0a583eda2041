import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { GridEnv } from "../../core/middleware.ts";
import { queryFlag } from "../../http/query_flag.ts";
import { createRouter } from "../../http/router.ts";
import type { CdpSession } from "./cdp_session.ts";
import {
  captureProblems,
  captureRoute,
  pageQuerySchema,
} from "./route_parts.ts";
import { type CaptureContext, openPage } from "./open_page.ts";
import { readStream } from "./read_stream.ts";

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
    .default("letter").describe("Size of the paper"),
  width: inchesSchema("Width of the paper"),
  height: inchesSchema("Height of the paper"),
  landscape: queryFlag("The paper lies on its long side"),
  print_background: queryFlag("Backgrounds are printed, too"),
  scale: z.coerce.number().min(0.1).max(2).default(1).openapi({
    type: "number",
    minimum: 0.1,
    maximum: 2,
    description: "Size of what is printed",
  }),
});

type Query = z.infer<typeof query>;

function inchesSchema(what: string) {
  return z.coerce.number().min(1).max(200).optional().openapi({
    type: "number",
    minimum: 1,
    maximum: 200,
    description: `${what} in inches, in place of that of the format`,
  });
}

const pdf = createRoute({
  ...captureRoute,
  path: "/sessions/{id}/pdf",
  operationId: "sessionPdf",
  summary: "Print a session's page as PDF",
  description:
    "Some browsers refuse it with a window: they must be headless. Waits for a session that has not started yet.",
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

const printedSchema = z.object({ stream: z.string() });

/** Pages as PDF. */
export function createPdfRoutes(parts: CaptureContext): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(pdf, async (c) => {
    const { id } = c.req.valid("param");
    const query = c.req.valid("query");
    const ref = { id, targetId: query.target_id };
    using opened = new DisposableStack();
    const open = opened.use(await openPage(parts, c, ref));
    const handle = await printPdf(open.page, query);
    const document = await readStream(open, handle);
    opened.move(); // The document's own from here, which is not held whole.
    open.lock[Symbol.dispose]();
    return c.body(document, 200, {
      "Content-Type": "application/pdf",
      "X-Content-Type-Options": "nosniff",
    });
  });
  return router;
}

/** @see {@link https://chromedevtools.github.io/devtools-protocol/tot/Page/#method-printToPDF Page.printToPDF} */
async function printPdf(
  page: CdpSession,
  { format, width, height, landscape, print_background, scale }: Query,
): Promise<string> {
  const [paperWidth, paperHeight] = PAPER_SIZES[format];
  const { stream } = await page.call({
    method: "Page.printToPDF",
    params: {
      landscape,
      scale,
      printBackground: print_background,
      paperWidth: width ?? paperWidth,
      paperHeight: height ?? paperHeight,
      // Whole, it would have to be held here.
      transferMode: "ReturnAsStream",
    },
    result: printedSchema,
  });
  return stream;
}
