import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { renderLocation } from "../../../../http/base_url.ts";
import { access, getCaller } from "../../../../http/auth/access.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import {
  seriesQuerySchema,
  toSeriesQuery,
} from "../../../../http/series_query.ts";
import { toIsoTime } from "../../../../http/wire_form.ts";
import type { WorkerManager } from "../../manager.ts";
import {
  drainInputSchema,
  registrationSchema,
  workerInputSchema,
  workerListSchema,
  workerMetricListSchema,
  workerSchema,
} from "../../schemas.ts";
import { WORKER_STATUSES } from "../../status.ts";
import {
  renderWorker,
  renderWorkerMetric,
  type WorkerRow,
} from "../../worker.ts";
import { poolProblems } from "../../../workerpool/problems.ts";
import { workerProblems } from "../../problems.ts";

const params = z.object({
  worker_id: z.string().describe("Id of a worker"),
});
const tags = ["Workers"];
const worker = {
  description: "The worker",
  content: { "application/json": { schema: workerSchema } },
};

const list = createRoute({
  method: "get",
  path: "/workerpool/workers",
  tags,
  operationId: "listWorkers",
  ...access(),
  summary: "List the workers",
  request: {
    query: z.object({
      work_pool_id: z.string().optional().describe("Id of a work pool"),
      status: z.enum(WORKER_STATUSES).optional().describe(
        "Only workers with this status",
      ),
      limit: z.coerce.number().int().min(1).max(500).default(100).describe(
        "Maximum number of workers on a page",
      ),
      cursor: z.uuid("expected next_cursor of the previous page").optional()
        .describe(
          "next_cursor of the previous page",
        ),
    }),
  },
  responses: {
    200: {
      description: "Workers in order of age",
      content: { "application/json": { schema: workerListSchema } },
    },
    ...problemResponses("invalid_request"),
  },
});

const register = createRoute({
  method: "post",
  path: "/workerpool/workers",
  tags,
  operationId: "registerWorker",
  ...access("worker"),
  summary: "Register a worker",
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: workerInputSchema } },
    },
  },
  responses: {
    201: {
      description: "The worker and the values that it needs to serve its pool",
      headers: z.object({
        "Location": z.string().openapi({
          description: "Path of the worker",
          example:
            "/v1/workerpool/workers/01a20ad2-9f3a-7b64-8a55-6c1e7f0b2d39",
        }),
      }),
      content: { "application/json": { schema: registrationSchema } },
    },
    ...problemResponses(
      "invalid_request",
      poolProblems.pool_not_found,
      poolProblems.provider_mismatch,
      workerProblems.worker_in_use,
      workerProblems.pool_full,
    ),
  },
});

const get = createRoute({
  method: "get",
  path: "/workerpool/workers/{worker_id}",
  tags,
  operationId: "getWorker",
  ...access("worker"),
  summary: "Get a worker",
  request: { params },
  responses: {
    200: worker,
    ...problemResponses(workerProblems.worker_not_found),
  },
});

const metrics = createRoute({
  method: "get",
  path: "/workerpool/workers/{worker_id}/metrics",
  tags,
  operationId: "listWorkerMetrics",
  ...access(),
  summary: "List the measurements of a worker's host",
  request: { params, query: seriesQuerySchema },
  responses: {
    200: {
      description: "Measurements, oldest first",
      content: { "application/json": { schema: workerMetricListSchema } },
    },
    ...problemResponses("invalid_request", workerProblems.worker_not_found),
  },
});

const remove = createRoute({
  method: "delete",
  path: "/workerpool/workers/{worker_id}",
  tags,
  operationId: "deleteWorker",
  ...access(),
  summary: "Delete a worker that holds no session",
  request: { params },
  responses: {
    204: { description: "The worker is deleted" },
    ...problemResponses(
      workerProblems.worker_not_found,
      workerProblems.worker_busy,
    ),
  },
});

const drain = createRoute({
  method: "post",
  path: "/workerpool/workers/{worker_id}/drain",
  tags,
  operationId: "drainWorker",
  ...access(),
  summary:
    "Drain a worker: it takes no more sessions and leaves when the running ones have ended",
  request: {
    params,
    body: {
      required: false,
      content: { "application/json": { schema: drainInputSchema } },
    },
  },
  responses: {
    200: worker,
    ...problemResponses("invalid_request", workerProblems.worker_not_found),
  },
});

const resume = createRoute({
  method: "post",
  path: "/workerpool/workers/{worker_id}/resume",
  tags,
  operationId: "resumeWorker",
  ...access(),
  summary: "Cancel the drain of a worker",
  request: { params },
  responses: {
    200: worker,
    ...problemResponses(workerProblems.worker_not_found),
  },
});

/** Creates the endpoints that list, register and drain workers. @param version Version of this server. */
export function createWorkerRoutes(
  manager: WorkerManager,
  version: string,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  const render = (worker: WorkerRow) => renderWorker(worker, version);
  router.openapi(list, async (c) => {
    const { items, nextCursor } = await manager.list(c.req.valid("query"));
    return c.json({
      items: items.map(render),
      next_cursor: nextCursor ?? null,
    }, 200);
  });
  router.openapi(register, async (c) => {
    const input = c.req.valid("json");
    const registration = await manager.register(input, getCaller(c));
    // The response may contain the worker's secret.
    c.header("Cache-Control", "no-store");
    c.header(
      "Location",
      renderLocation(c, `/v1/workerpool/workers/${registration.worker.id}`),
    );
    return c.json(registration, 201);
  });
  router.openapi(get, async (c) => {
    const { worker_id } = c.req.valid("param");
    const found = await manager.get(worker_id, getCaller(c));
    return c.json(render(found), 200);
  });
  router.openapi(metrics, async (c) => {
    const { worker_id } = c.req.valid("param");
    const query = toSeriesQuery(c.req.valid("query"));
    const page = await manager.metrics(worker_id, query);
    return c.json({
      items: page.items.map((each) => renderWorkerMetric(worker_id, each)),
      next_since: page.nextSince === null ? null : toIsoTime(page.nextSince),
    }, 200);
  });
  router.openapi(remove, async (c) => {
    await manager.remove(c.req.valid("param").worker_id);
    return c.body(null, 204);
  });
  router.openapi(drain, async (c) => {
    // Undefined if the request has no body.
    const seconds = c.req.valid("json")?.timeout_seconds;
    const { worker_id } = c.req.valid("param");
    return c.json(render(await manager.drain(worker_id, seconds)), 200);
  });
  router.openapi(resume, async (c) => {
    const resumed = await manager.resume(c.req.valid("param").worker_id);
    return c.json(render(resumed), 200);
  });
  return router;
}
