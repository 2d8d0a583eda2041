import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { renderLocation } from "../../../../http/base_url.ts";
import { access } from "../../../../http/auth/access.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import type { KeyManager } from "../../manager.ts";
import {
  keyInputSchema,
  keyListSchema,
  keySchema,
  newKeySchema,
} from "../../schemas.ts";
import { poolProblems } from "../../../workerpool/problems.ts";
import { keyProblems } from "../../problems.ts";

const params = z.object({
  key_id: z.string().min(1).max(100).describe("Id or prefix of a key"),
});
const tags = ["Keys"];

const list = createRoute({
  method: "get",
  path: "/keys",
  tags,
  operationId: "listKeys",
  ...access(),
  summary: "List the keys, newest first",
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(500).default(100).describe(
        "Maximum number of keys on a page",
      ),
      cursor: z.uuid("expected next_cursor of the previous page").optional()
        .describe("next_cursor of the previous page"),
    }),
  },
  responses: {
    200: {
      description: "Keys, without their secrets",
      content: { "application/json": { schema: keyListSchema } },
    },
    ...problemResponses("invalid_request"),
  },
});

const create = createRoute({
  method: "post",
  path: "/keys",
  tags,
  operationId: "createKey",
  ...access(),
  summary: "Create a key",
  description:
    "Only this response contains the key itself. From the first admin key on, every caller needs a key.",
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: keyInputSchema } },
    },
  },
  responses: {
    201: {
      description: "The key",
      content: { "application/json": { schema: newKeySchema } },
    },
    ...problemResponses("invalid_request", poolProblems.pool_not_found),
  },
});

const get = createRoute({
  method: "get",
  path: "/keys/{key_id}",
  tags,
  operationId: "getKey",
  ...access(),
  summary: "Get a key, without its secret",
  request: { params },
  responses: {
    200: {
      description: "The key",
      content: { "application/json": { schema: keySchema } },
    },
    ...problemResponses("invalid_request", keyProblems.key_not_found),
  },
});

const revoke = createRoute({
  method: "delete",
  path: "/keys/{key_id}",
  tags,
  operationId: "revokeKey",
  ...access(),
  summary: "Revoke a key",
  description:
    "This server rejects the key at once, other servers of the same database within 10 seconds. WebSockets that were opened with the key stay open, and a connect_url that it received works until its token expires.",
  request: { params },
  responses: {
    204: { description: "The key is revoked" },
    ...problemResponses(
      "invalid_request",
      keyProblems.key_not_found,
      keyProblems.last_admin_key,
    ),
  },
});

/** Creates the endpoints of keys. */
export function createKeyRoutes(manager: KeyManager): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(list, async (c) => {
    const { items, nextCursor } = await manager.list(c.req.valid("query"));
    return c.json({ items: [...items], next_cursor: nextCursor ?? null }, 200);
  });
  router.openapi(create, async (c) => {
    const key = await manager.create(c.req.valid("json"));
    c.header("Location", renderLocation(c, `/v1/keys/${key.id}`));
    c.header("Cache-Control", "no-store");
    return c.json(key, 201);
  });
  router.openapi(get, async (c) => {
    return c.json(await manager.get(c.req.valid("param").key_id), 200);
  });
  router.openapi(revoke, async (c) => {
    await manager.revoke(c.req.valid("param").key_id);
    return c.body(null, 204);
  });
  return router;
}
