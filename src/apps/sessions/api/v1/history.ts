import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { access, getCaller } from "../../../../http/auth/access.ts";
import { GridError } from "../../../../core/errors.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import {
  readWorkerCaller,
  workerProofSchema,
} from "../../../../http/auth/worker_caller.ts";
import type { SessionManager } from "../../manager.ts";
import {
  sessionEventInputSchema,
  sessionEventListSchema,
  sessionMetricInputSchema,
  sessionMetricListSchema,
} from "../../schemas/history.ts";
import { renderEvent, renderMetric } from "../../render.ts";
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
    query: z.object({
      limit: z.coerce.number().int().min(1).max(1_000).default(100).describe(
        "Maximum number of measurements",
      ),
    }),
  },
  responses: {
    200: {
      description: "The last measurements, oldest first",
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

const logs = createRoute({
  method: "get",
  path: "/sessions/{id}/logs",
  tags,
  operationId: "getSessionLogs",
  ...access("client"),
  summary: "Show the last output of a session's browser, after it has ended",
  request: { params },
  responses: {
    200: {
      description: "Text; empty if there is none",
      content: {
        "text/plain": {
          schema: z.string(),
          example: "DevTools listening on ws://127.0.0.1:33333",
        },
      },
    },
    ...problemResponses(sessionProblems.session_not_found),
  },
});

/** Endpoints of the events, measurements and logs of a session. */
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
    const items = await selectView(manager, c).metrics(
      id,
      c.req.valid("query").limit,
    );
    return c.json({ items: items.map(renderMetric) }, 200);
  });
  router.openapi(addMetric, async (c) => {
    const { id } = c.req.valid("param");
    const { fencing_token: fencingToken, ...values } = c.req.valid("json");
    const caller = await readWorkerCaller(c.req.valid("header"), getCaller(c));
    const holder = { fencingToken, caller };
    requireHolder(id, await manager.addMetric(id, { ...holder, ...values }));
    return c.body(null, 204);
  });
  router.openapi(logs, async (c) => {
    return c.text(
      await selectView(manager, c).logs(c.req.valid("param").id),
      200,
    );
  });
  return router;
}

function requireHolder(id: string, isHolder: boolean): void {
  if (isHolder) return;
  throw new GridError(
    sessionProblems.lease_lost,
    `Cannot record for session "${id}": the fencing token is stale, the session has ended, or another worker holds it; expected the token of the last claim, and the secret and instance of the worker`,
  );
}
