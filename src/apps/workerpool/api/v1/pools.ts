import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { renderLocation } from "../../../../http/base_url.ts";
import { access, getCaller } from "../../../../http/auth/access.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import { createFlagSchema } from "../../../../http/flag_schema.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import type { WorkPoolManager } from "../../manager.ts";
import { renderPool } from "../../pool.ts";
import {
  newPoolSchema,
  poolChangeSchema,
  poolInputSchema,
  poolListSchema,
  poolReplacementSchema,
  poolSchema,
} from "../../schemas.ts";
import { POOL_STATUSES } from "../../status.ts";
import { poolProblems } from "../../problems.ts";

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
  operationId: "listPools",
  ...access("client"),
  summary: "List the work pools",
  request: {
    query: z.object({
      status: z.enum(POOL_STATUSES).optional().describe(
        "Only pools with this status",
      ),
      provider_type: z.string().optional().describe(
        "Only pools of this provider",
      ),
      limit: z.coerce.number().int().min(1).max(500).default(100).describe(
        "Maximum number of work pools on a page",
      ),
      cursor: z.uuid("expected next_cursor of the previous page").optional()
        .describe(
          "next_cursor of the previous page",
        ),
    }),
  },
  responses: {
    200: {
      description: "Work pools in order of age",
      content: { "application/json": { schema: poolListSchema } },
    },
    ...problemResponses("invalid_request"),
  },
});

const create = createRoute({
  method: "post",
  path: "/workerpool/pools",
  tags,
  operationId: "createPool",
  ...access(),
  summary: "Create a work pool",
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: poolInputSchema } },
    },
  },
  responses: {
    201: {
      content: { "application/json": { schema: newPoolSchema } },
      description: "The new work pool",
      headers: z.object({
        "Location": z.string().openapi({
          description: "Path of the work pool",
          example: "/v1/workerpool/pools/01a20ad2-5e0f-7c11-9d7a-0d6f2b1c4e88",
        }),
      }),
    },
    ...problemResponses(
      "invalid_request",
      poolProblems.unknown_provider,
      poolProblems.invalid_provider_config,
      poolProblems.pool_name_taken,
    ),
  },
});

const get = createRoute({
  method: "get",
  path: "/workerpool/pools/{pool_id}",
  tags,
  operationId: "getPool",
  ...access("client"),
  summary: "Get a work pool",
  request: { params },
  responses: { 200: pool, ...problemResponses(poolProblems.pool_not_found) },
});

const replace = createRoute({
  method: "put",
  path: "/workerpool/pools/{pool_id}",
  tags,
  operationId: "replacePool",
  ...access(),
  summary: "Replace a work pool; absent members take their defaults",
  request: {
    params,
    body: {
      required: true,
      content: { "application/json": { schema: poolReplacementSchema } },
    },
  },
  responses: {
    200: pool,
    ...problemResponses(
      "invalid_request",
      poolProblems.unknown_provider,
      poolProblems.invalid_provider_config,
      poolProblems.pool_not_found,
      poolProblems.pool_name_taken,
      poolProblems.provider_mismatch,
      poolProblems.read_only_member,
    ),
  },
});

const patch = createRoute({
  ...replace,
  method: "patch",
  operationId: "patchPool",
  summary: "Change some members of a work pool",
  request: {
    params,
    body: {
      required: true,
      content: { "application/json": { schema: poolChangeSchema } },
    },
  },
});

const remove = createRoute({
  method: "delete",
  path: "/workerpool/pools/{pool_id}",
  tags,
  operationId: "deletePool",
  ...access(),
  summary: "Delete a work pool that has no live session",
  description:
    "Without `force`, a pool with workers that are not offline is rejected (`pool_in_use`).",
  request: {
    params,
    query: z.object({
      force: createFlagSchema(
        "Delete the pool even if workers are online; they then end",
      ),
    }),
  },
  responses: {
    204: { description: "The work pool is deleted" },
    ...problemResponses(
      "invalid_request",
      poolProblems.pool_not_found,
      poolProblems.pool_in_use,
    ),
  },
});

/** Creates the endpoints that create, list, change and delete work pools. Only admins may change pools. */
export function createPoolRoutes(
  manager: WorkPoolManager,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(list, async (c) => {
    const { workPoolId, role } = getCaller(c);
    const page = { ...c.req.valid("query"), only: workPoolId };
    const { items, nextCursor } = await manager.list(page);
    return c.json({
      items: items.map((each) => renderPool(each, role)),
      next_cursor: nextCursor ?? null,
    }, 200);
  });
  router.openapi(create, async (c) => {
    const created = await manager.create(c.req.valid("json"));
    c.header(
      "Location",
      renderLocation(c, `/v1/workerpool/pools/${created.id}`),
    );
    const warnings = [...manager.findWarnings(created)];
    return c.json({ ...renderPool(created, "admin"), warnings }, 201);
  });
  router.openapi(get, async (c) => {
    const caller = getCaller(c);
    const found = await manager.get(c.req.valid("param").pool_id, caller);
    return c.json(renderPool(found, caller.role), 200);
  });
  router.openapi(replace, async (c) => {
    const { pool_id } = c.req.valid("param");
    const changed = await manager.replace(pool_id, c.req.valid("json"));
    return c.json(renderPool(changed, "admin"), 200);
  });
  router.openapi(patch, async (c) => {
    const { pool_id } = c.req.valid("param");
    const changed = await manager.patch(pool_id, c.req.valid("json"));
    return c.json(renderPool(changed, "admin"), 200);
  });
  router.openapi(remove, async (c) => {
    const { force } = c.req.valid("query");
    await manager.remove(c.req.valid("param").pool_id, force);
    return c.body(null, 204);
  });
  return router;
}
