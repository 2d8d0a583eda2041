import type { OpenAPIHono } from "@hono/zod-openapi";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter } from "../../http/router.ts";
import { serviceRoutes } from "./api/v1/service.ts";
import { workersRoutes } from "./api/v1/workers.ts";
import { createEndpointCheck, type EndpointSettings } from "./endpoints.ts";
import type { WorkerManager } from "./manager.ts";

/** Endpoints of version 1. */
export function workerRoutes(
  manager: WorkerManager,
  settings: EndpointSettings,
): OpenAPIHono<GridEnv> {
  return createRouter()
    .route("/", workersRoutes(manager))
    .route("/", serviceRoutes(manager, createEndpointCheck(settings)));
}
