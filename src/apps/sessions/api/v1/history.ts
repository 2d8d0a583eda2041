import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { access, getCaller } from "../../../../http/auth/access.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import {
  readWorkerCaller,
  workerProofSchema,
} from "../../../../http/auth/worker_caller.ts";
import {
  seriesQuerySchema,
  toSeriesQuery,
} from "../../../../http/series_query.ts";
import { toIsoTime } from "../../../../http/wire_form.ts";
import type { SessionManager } from "../../manager.ts";
import {
  sessionEventInputSchema,
  sessionEventListSchema,
  sessionMetricInputSchema,
  sessionMetricListSchema,
} from "../../schemas/history.ts";
import { renderEvent, renderMetric } from "../../render.ts";
import { leaseLost } from "../../owner_view.ts";
import { sessionProblems } from "../../problems.ts";
import { selectView } from "./view.ts";

const params = z.object({ id: z.string().describe("Id of a session") });
const tags = ["Sessions"];

const events = createRoute({
  method: "get",
  path: "/sessions/{id}/events",
  tags,
  operationId: "listSessionEvents",
  ...access("client"),
  summary: "List the events of a session, in order",
  request: {
    params,
    query: z.object({
      after: z.coerce.number().int().min(0).default(0).openapi({
        type: "integer",
        minimum: 0,
        description: "Only events with a larger seq",
      }),
      limit: z.coerce.number().int().min(1).max(1_000).default(500).describe(
        "Maximum number of events",
      ),
    }),
  },
  responses: {
    200: {
      description: "Events, oldest first",
      content: { "application/json": { schema: sessionEventListSchema } },
    },
    ...problemResponses("invalid_request", sessionProblems.session_not_found),
  },
});

const addEvent = createRoute({
  method: "post",
  path: "/sessions/{id}/events",
  tags,
  operationId: "addSessionEvent",
  ...access("worker"),
  summary: "Record an event, as the worker that holds the session",
  request: {
    params,
    headers: workerProofSchema,
    body: {
      required: true,
      content: { "application/json": { schema: sessionEventInputSchema } },
    },
  },
  responses: {
    204: { description: "Recorded" },
    ...problemResponses(
      "invalid_request",
      sessionProblems.session_not_found,
      sessionProblems.lease_lost,
    ),
  },
});

const metrics = createRoute({
  method: "get",
  path: "/sessions/{id}/metrics",
  tags,
  operationId: "listSessionMetrics",
  ...access("client"),
  summary: "List the measurements of a session",
  request: {
    params,
    query: seriesQuerySchema,
  },
  responses: {
    200: {
      description: "Measurements, oldest first",
      content: { "application/json": { schema: sessionMetricListSchema } },
    },
    ...problemResponses("invalid_request", sessionProblems.session_not_found),
  },
});

const addMetric = createRoute({
  method: "post",
  path: "/sessions/{id}/metrics",
  tags,
  operationId: "addSessionMetric",
  ...access("worker"),
  summary: "Record a measurement, as the worker that holds the session",
  request: {
    params,
    headers: workerProofSchema,
    body: {
      required: true,
      content: { "application/json": { schema: sessionMetricInputSchema } },
    },
  },
  responses: {
    204: { description: "Recorded" },
    ...problemResponses(
      "invalid_request",
      sessionProblems.session_not_found,
      sessionProblems.lease_lost,
    ),
  },
});

/** Endpoints of the events and measurements of a session. */
export function createHistoryRoutes(
  manager: SessionManager,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(events, async (c) => {
    const { id } = c.req.valid("param");
    const { after, limit } = c.req.valid("query");
    const items = await selectView(manager, c).events(id, after, limit);
    return c.json({ items: items.map(renderEvent) }, 200);
  });
  router.openapi(addEvent, async (c) => {
    const { id } = c.req.valid("param");
    const { fencing_token: fencingToken, ...record } = c.req.valid("json");
    const caller = await readWorkerCaller(c.req.valid("header"), getCaller(c));
    const holder = { fencingToken, caller };
    requireHolder(id, await manager.addEvent(id, { ...holder, ...record }));
    return c.body(null, 204);
  });
  router.openapi(metrics, async (c) => {
    const { id } = c.req.valid("param");
    const query = toSeriesQuery(c.req.valid("query"));
    const page = await selectView(manager, c).metrics(id, query);
    return c.json({
      items: page.items.map((each) => renderMetric(id, each)),
      next_since: page.nextSince === null ? null : toIsoTime(page.nextSince),
    }, 200);
  });
  router.openapi(addMetric, async (c) => {
    const { id } = c.req.valid("param");
    const { fencing_token: fencingToken, ...values } = c.req.valid("json");
    const caller = await readWorkerCaller(c.req.valid("header"), getCaller(c));
    const holder = { fencingToken, caller };
    requireHolder(id, await manager.addMetric(id, { ...holder, ...values }));
    return c.body(null, 204);
  });
  return router;
}

function requireHolder(id: string, isHolder: boolean): void {
  if (!isHolder) throw leaseLost(id);
}
