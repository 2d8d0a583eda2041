import type { OpenAPIHono } from "@hono/zod-openapi";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter } from "../../http/router.ts";
import type { ChromeParts } from "../devtools/route_context.ts";
import { contentRoutes } from "./content_routes.ts";
import { pdfRoutes } from "./pdf_routes.ts";
import { screenshotRoutes } from "./screenshot_routes.ts";
import { KeyedMutex } from "../../async/keyed_mutex.ts";

/** A look at a session's page without a client. */
export function lookRoutes(parts: ChromeParts): OpenAPIHono<GridEnv> {
  const own = { ...parts, locks: new KeyedMutex() };
  return createRouter()
    .route("/", screenshotRoutes(own))
    .route("/", pdfRoutes(own))
    .route("/", contentRoutes(own));
}
