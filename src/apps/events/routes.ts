import type { OpenAPIHono } from "@hono/zod-openapi";
import type { OnDemand } from "../../async/on_demand.ts";
import type { Core } from "../../core/app.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter } from "../../http/router.ts";
import { createEventRoutes } from "./api/v1/events.ts";
import { createStreamRoutes } from "./api/v1/stream.ts";
import type { EventManager } from "./manager.ts";
import type { EventStreams } from "./stream/event_streams.ts";

/** Creates the endpoints of events. */
export function createV1Routes(
  core: Core,
  { manager, streams }: {
    readonly manager: EventManager;
    readonly streams: OnDemand<EventStreams>;
  },
): OpenAPIHono<GridEnv> {
  return createRouter()
    .route("/", createEventRoutes(core, manager))
    .route("/", createStreamRoutes(core, streams));
}
