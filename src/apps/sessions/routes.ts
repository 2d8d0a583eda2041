import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Core } from "../../core/app.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter } from "../../http/router.ts";
import { historyRoutes } from "./api/v1/history.ts";
import { oneSessionRoutes } from "./api/v1/session.ts";
import { sessionsRoutes } from "./api/v1/sessions.ts";
import { createSessionRenderer } from "./api/v1/render.ts";
import type { SessionManager } from "./manager.ts";

/** Endpoints of version 1. */
export function sessionRoutes(
  core: Core,
  manager: SessionManager,
): OpenAPIHono<GridEnv> {
  const render = createSessionRenderer(core, manager);
  return createRouter()
    .route("/", sessionsRoutes(core, manager, render))
    .route("/", oneSessionRoutes(manager, render))
    .route("/", historyRoutes(manager));
}
