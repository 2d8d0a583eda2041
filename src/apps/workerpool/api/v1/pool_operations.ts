import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { GridEnv } from "../../../../core/middleware.ts";
import { access, getCaller } from "../../../../http/auth/access.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import type { WorkPoolManager } from "../../manager.ts";
import { renderPool } from "../../pool.ts";
import { poolProblems } from "../../problems.ts";
import { poolSchema, pressureSchema } from "../../schemas.ts";

const params = z.object({
  pool_id: z.string().min(1).max(100).describe("Id or name of a work pool"),
});
const pool = {
  description: "The work pool",
  content: { "application/json": { schema: poolSchema } },
};
const tags = ["Work pools"];

const pressure = createRoute({
  method: "get",
  path: "/workerpool/pools/{pool_id}/pressure",
  tags,
  operationId: "getPoolPressure",
  ...access("client"),
  summary: "Get the load of a work pool",
  request: { params },
  responses: {
    200: {
      description: "The load of the work pool",
      content: { "application/json": { schema: pressureSchema } },
    },
    ...problemResponses(poolProblems.pool_not_found),
  },
});

/** The operations that set a status. */
const STATUS_ACTIONS = [
  {
    verb: "pause",
    status: "paused",
    summary: "Take no sessions until the pool is resumed",
    operationId: "pausePool",
  },
  {
    verb: "resume",
    status: "active",
    summary: "Take sessions again",
    operationId: "resumePool",
  },
  {
    verb: "drain",
    status: "draining",
    summary: "Take no sessions; running sessions continue until they end",
    operationId: "drainPool",
  },
] as const;

/** Creates the endpoints that set the status of a work pool or return its load. */
export function createPoolOperationRoutes(
  manager: WorkPoolManager,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(pressure, async (c) => {
    const { pool_id } = c.req.valid("param");
    return c.json(await manager.getPressure(pool_id, getCaller(c)), 200);
  });
  for (const { verb, status, summary, operationId } of STATUS_ACTIONS) {
    const route = createRoute({
      method: "post",
      path: `/workerpool/pools/{pool_id}/${verb}`,
      tags,
      operationId,
      ...access(),
      summary,
      request: { params },
      responses: {
        200: pool,
        ...problemResponses(poolProblems.pool_not_found),
      },
    });
    router.openapi(route, async (c) => {
      const { pool_id } = c.req.valid("param");
      const changed = await manager.setStatus(pool_id, status);
      return c.json(renderPool(changed, "admin"), 200);
    });
  }
  return router;
}
