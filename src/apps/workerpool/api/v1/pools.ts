import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { GridEnv } from "../../../../core/middleware.ts";
import { createRouter, refusals } from "../../../../core/router.ts";
import type { WorkPoolManager } from "../../manager.ts";
import { renderPool } from "../../pool.ts";
import {
  poolInputSchema,
  poolListSchema,
  poolPatchSchema,
  poolSchema,
  pressureSchema,
} from "../../schemas.ts";
import { POOL_STATUSES } from "../../status.ts";

const params = z.object({
  pool_id: z.string().min(1).max(100).describe("Id or name of a work pool"),
});
const pool = {
  description: "The work pool",
  content: { "application/json": { schema: poolSchema } },
};
const tags = ["Work pools"];

const list = createRoute({
  method: "get",
  path: "/workerpool/pools",
  tags,
  summary: "List the work pools",
  request: {
    query: z.object({
      status: z.enum(POOL_STATUSES).optional(),
      provider_type: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(500).default(100),
      cursor: z.string().optional(),
    }),
  },
  responses: {
    200: {
      description: "Work pools in order of age",
      content: { "application/json": { schema: poolListSchema } },
    },
    ...refusals("invalid_request"),
  },
});

const create = createRoute({
  method: "post",
  path: "/workerpool/pools",
  tags,
  summary: "Create a work pool",
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: poolInputSchema } },
    },
  },
  responses: {
    201: { ...pool, description: "The new work pool" },
    ...refusals(
      "invalid_request",
      "unknown_provider",
      "invalid_provider_config",
      "pool_name_taken",
    ),
  },
});

const get = createRoute({
  method: "get",
  path: "/workerpool/pools/{pool_id}",
  tags,
  summary: "Get a work pool",
  request: { params },
  responses: { 200: pool, ...refusals("pool_not_found") },
});

const replace = createRoute({
  method: "put",
  path: "/workerpool/pools/{pool_id}",
  tags,
  summary: "Update a work pool: what is not given takes its default",
  request: {
    params,
    body: {
      required: true,
      content: { "application/json": { schema: poolInputSchema } },
    },
  },
  responses: {
    200: pool,
    ...refusals(
      "invalid_request",
      "invalid_provider_config",
      "pool_not_found",
      "pool_name_taken",
      "provider_mismatch",
    ),
  },
});

const patch = createRoute({
  ...replace,
  method: "patch",
  summary: "Change what is given of a work pool",
  request: {
    params,
    body: {
      required: true,
      content: { "application/json": { schema: poolPatchSchema } },
    },
  },
});

const remove = createRoute({
  method: "delete",
  path: "/workerpool/pools/{pool_id}",
  tags,
  summary: "Delete a work pool that has no live session",
  request: { params },
  responses: {
    204: { description: "It is gone" },
    ...refusals("pool_not_found", "pool_in_use"),
  },
});

const pressure = createRoute({
  method: "get",
  path: "/workerpool/pools/{pool_id}/pressure",
  tags,
  summary: "Tell how loaded a work pool is",
  request: { params },
  responses: {
    200: {
      description: "Its load",
      content: { "application/json": { schema: pressureSchema } },
    },
    ...refusals("pool_not_found"),
  },
});

/** Statuses that a person sets, and the path that does. */
const STATUS_PATHS = [
  ["pause", "paused", "Take no sessions until it is resumed"],
  ["resume", "active", "Take sessions again"],
  ["drain", "draining", "Take no sessions; what runs goes on to its end"],
] as const;

/** Endpoints of work pools. */
export function poolRoutes(manager: WorkPoolManager): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(list, async (c) => {
    const { items, nextCursor } = await manager.list(c.req.valid("query"));
    return c.json({
      items: items.map(renderPool),
      next_cursor: nextCursor ?? null,
    }, 200);
  });
  router.openapi(create, async (c) => {
    const made = await manager.create(c.req.valid("json"));
    c.header("Location", `/v1/workerpool/pools/${made.id}`);
    return c.json(renderPool(made), 201);
  });
  router.openapi(get, async (c) => {
    const found = await manager.get(c.req.valid("param").pool_id);
    return c.json(renderPool(found), 200);
  });
  router.openapi(replace, async (c) => {
    const { pool_id } = c.req.valid("param");
    const changed = await manager.replace(pool_id, c.req.valid("json"));
    return c.json(renderPool(changed), 200);
  });
  router.openapi(patch, async (c) => {
    const { pool_id } = c.req.valid("param");
    const changed = await manager.patch(pool_id, c.req.valid("json"));
    return c.json(renderPool(changed), 200);
  });
  router.openapi(remove, async (c) => {
    await manager.remove(c.req.valid("param").pool_id);
    return c.body(null, 204);
  });
  router.openapi(pressure, async (c) => {
    const found = await manager.pressure(c.req.valid("param").pool_id);
    return c.json(found, 200);
  });
  for (const [verb, status, summary] of STATUS_PATHS) {
    const route = createRoute({
      method: "post",
      path: `/workerpool/pools/{pool_id}/${verb}`,
      tags,
      summary,
      request: { params },
      responses: { 200: pool, ...refusals("pool_not_found") },
    });
    router.openapi(route, async (c) => {
      const { pool_id } = c.req.valid("param");
      return c.json(renderPool(await manager.setStatus(pool_id, status)), 200);
    });
  }
  return router;
}
