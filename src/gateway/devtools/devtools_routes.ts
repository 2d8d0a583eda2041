import type { OpenAPIHono } from "@hono/zod-openapi";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter } from "../../http/router.ts";
import type { DevtoolsContext } from "./route_context.ts";
import { createListRoutes } from "./list_routes.ts";
import { createTargetRoutes } from "./target_routes.ts";
import { createVersionRoutes } from "./version_routes.ts";

/** Chrome's HTTP endpoints, as tools ask them, for a session's browser; every address in the answers is the grid's. */
export function createDevtoolsRoutes(
  parts: DevtoolsContext,
): OpenAPIHono<GridEnv> {
  return createRouter()
    .route("/", createVersionRoutes(parts))
    .route("/", createListRoutes(parts))
    .route("/", createTargetRoutes(parts));
}
