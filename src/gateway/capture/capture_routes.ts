import type { OpenAPIHono } from "@hono/zod-openapi";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter } from "../../http/router.ts";
import type { DevtoolsContext } from "../devtools/route_context.ts";
import { createContentRoutes } from "./content_routes.ts";
import { createPdfRoutes } from "./pdf_routes.ts";
import { createScreenshotRoutes } from "./screenshot_routes.ts";
import { KeyedMutex } from "../../async/keyed_mutex.ts";

/** A look at a session's page without a client. */
export function createCaptureRoutes(
  parts: DevtoolsContext,
): OpenAPIHono<GridEnv> {
  const own = { ...parts, locks: new KeyedMutex() };
  return createRouter()
    .route("/", createScreenshotRoutes(own))
    .route("/", createPdfRoutes(own))
    .route("/", createContentRoutes(own));
}
