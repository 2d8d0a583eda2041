import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { Buffer } from "node:buffer";
import type { GridEnv } from "../../core/middleware.ts";
import { createFlagSchema } from "../../http/flag_schema.ts";
import { createRouter } from "../../http/router.ts";
import type { CdpSession } from "./cdp_session.ts";
import { emptyCapture } from "./empty_capture.ts";
import {
  captureProblems,
  captureRoute,
  pageQuerySchema,
} from "./capture_route.ts";
import type { CaptureContext } from "./open_page.ts";

const FORMATS = ["png", "jpeg", "webp"] as const;

type Format = typeof FORMATS[number];

/**
 * Maximum width and height of a screenshot in pixels. Depending on the graphics driver a larger PNG or JPEG may have one
 * pixel only. For a larger WebP, whose header has 14 bits per side, Chrome returns no data.
 */
const MAX_SIDE: Readonly<Record<Format, number>> = {
  png: 16_384,
  jpeg: 16_384,
  webp: 16_383,
};

const query = pageQuerySchema.extend({
  format: z.enum(FORMATS).default("png").describe(
    "Image format; a webp image has at most 16383 pixels per side",
  ),
  quality: z.coerce.number().int().min(0).max(100).optional().openapi({
    type: "integer",
    minimum: 0,
    maximum: 100,
    description:
      "Quality of jpeg and webp in percent; by default the browser's default",
  }),
  full_page: createFlagSchema(
    "Capture the whole page instead of the viewport; scaled down if it is longer than 16384 pixels (webp: 16383)",
  ),
});

type Query = z.infer<typeof query>;

const image = { schema: z.string().openapi({ format: "binary" }) };

const screenshot = createRoute({
  ...captureRoute,
  path: "/sessions/{id}/screenshot",
  operationId: "getSessionScreenshot",
  summary: "Take a screenshot of a session's page",
  request: { ...captureRoute.request, query },
  responses: {
    200: {
      description: "The screenshot",
      content: {
        "image/png": image,
        "image/jpeg": image,
        "image/webp": image,
      },
    },
    ...captureProblems(),
  },
});

const screenshotSchema = z.object({ data: z.string() });

const metricsSchema = z.object({
  cssContentSize: z.object({ width: z.number(), height: z.number() }),
});

const ratioSchema = z.object({
  result: z.object({ value: z.number().positive().catch(1) }),
});

/** Creates the route that takes a screenshot of a page. */
export function createScreenshotRoutes(
  context: CaptureContext,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(screenshot, async (c) => {
    const { id } = c.req.valid("param");
    const query = c.req.valid("query");
    const { OpenPage } = await import("./open_page.ts");
    const ref = { id, targetId: query.target_id };
    using open = await OpenPage.open(context, c, ref);
    return c.body(await takeScreenshot(open.cdp, query), 200, {
      "Content-Type": `image/${query.format}`,
      "X-Content-Type-Options": "nosniff",
    });
  });
  return router;
}

/** @see {@link https://chromedevtools.github.io/devtools-protocol/tot/Page/#method-captureScreenshot Page.captureScreenshot} */
async function takeScreenshot(
  cdp: CdpSession,
  { format, quality, full_page }: Query,
): Promise<Uint8Array<ArrayBuffer>> {
  const whole = full_page
    ? await createFullPageParams(cdp, MAX_SIDE[format])
    : {};
  const { data } = await cdp.call({
    method: "Page.captureScreenshot",
    params: { format, quality, ...whole },
    result: screenshotSchema,
  });
  const bytes = Uint8Array.from(Buffer.from(data, "base64"));
  if (bytes.length > 0) return bytes;
  throw emptyCapture(
    `${format} picture`,
    format === "webp"
      ? `format=png or jpeg for a viewport of more than ${MAX_SIDE.webp} pixels per side`
      : `a viewport of at most ${MAX_SIDE[format]} pixels per side`,
  );
}

/**
 * Returns the parameters that capture the whole page, scaled down to `maxSide` pixels. During the capture Chrome resizes
 * the page to its content, which the page can observe, and then restores its size.
 */
async function createFullPageParams(
  cdp: CdpSession,
  maxSide: number,
): Promise<Readonly<Record<string, unknown>>> {
  const { cssContentSize: { width, height } } = await cdp.call({
    method: "Page.getLayoutMetrics",
    result: metricsSchema,
  });
  const { result: { value: ratio } } = await cdp.call({
    method: "Runtime.evaluate",
    params: { expression: "devicePixelRatio", returnByValue: true },
    result: ratioSchema,
  });
  const longest = Math.max(width, height) * ratio;
  const clip = {
    x: 0,
    y: 0,
    width: Math.max(width, 1),
    height: Math.max(height, 1),
    scale: Math.min(1, maxSide / longest),
  };
  return { captureBeyondViewport: true, clip };
}
