import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Core } from "../../core/app.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter } from "../../http/router.ts";
import { createHistoryRoutes } from "./api/v1/history.ts";
import { createLogRoutes } from "./api/v1/logs.ts";
import { createSessionRoutes } from "./api/v1/session.ts";
import { createSessionListRoutes } from "./api/v1/sessions.ts";
import { createSessionRenderer } from "./api/v1/render.ts";
import type { OnDemand } from "../../async/on_demand.ts";
import type { SessionLogs } from "./logs/session_logs.ts";
import type { SessionManager } from "./manager.ts";

/** Endpoints of version 1. */
export function createV1Routes(
  core: Core,
  manager: SessionManager,
  logs: OnDemand<SessionLogs>,
): OpenAPIHono<GridEnv> {
  const render = createSessionRenderer(core, manager);
  return createRouter()
    .route("/", createSessionListRoutes(core, manager, render))
    .route("/", createSessionRoutes(manager, render))
    .route("/", createHistoryRoutes(manager))
    .route("/", createLogRoutes(core, manager, logs));
}
