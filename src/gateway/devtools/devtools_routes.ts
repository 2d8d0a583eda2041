import type { OpenAPIHono } from "@hono/zod-openapi";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter } from "../../http/router.ts";
import type { ChromeParts } from "./route_context.ts";
import { listRoutes } from "./list_routes.ts";
import { targetRoutes } from "./target_routes.ts";
import { versionRoutes } from "./version_routes.ts";

/** Chrome's HTTP endpoints, as tools ask them, for a session's browser; every address in the answers is the grid's. */
export function chromeRoutes(parts: ChromeParts): OpenAPIHono<GridEnv> {
  return createRouter()
    .route("/", versionRoutes(parts))
    .route("/", listRoutes(parts))
    .route("/", targetRoutes(parts));
}
