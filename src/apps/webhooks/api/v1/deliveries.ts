import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { GridEnv } from "../../../../core/middleware.ts";
import { access } from "../../../../http/auth/access.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import type { DeliveryManager } from "../../delivery_manager.ts";
import { webhookProblems } from "../../problems.ts";
import { deliveryListSchema, deliverySchema } from "../../schemas.ts";
import { DELIVERY_STATUSES } from "../../status.ts";
import { deliveryParams, params, toRef } from "./params.ts";

const tags = ["Webhooks"];

/** Response with one delivery. */
const deliveryResponse = {
  description: "The delivery",
  content: { "application/json": { schema: deliverySchema } },
};

/** Problems of the endpoints of one delivery. */
const deliveryProblems = problemResponses(
  "invalid_request",
  webhookProblems.webhook_not_found,
  webhookProblems.delivery_not_found,
);

const CURSOR = /^\d{1,15}$/;

const list = createRoute({
  method: "get",
  path: "/webhooks/{webhook_id}/deliveries",
  tags,
  operationId: "listWebhookDeliveries",
  ...access("client"),
  summary: "List the deliveries of a webhook, newest first",
  description:
    "With status, a page reads at most 2,000 deliveries: where few of them match, it may have fewer than `limit`, or none, and still a `next_cursor`.",
  request: {
    params,
    query: z.object({
      status: z.enum(DELIVERY_STATUSES).optional().describe(
        "Status of the deliveries",
      ),
      limit: z.coerce.number().int().min(1).max(500).default(100).describe(
        "Maximum number of deliveries on a page",
      ),
      cursor: z.string().regex(CURSOR, "expected the id of a delivery")
        .transform(Number).optional().openapi({
          type: "string",
          pattern: CURSOR.source,
          description: "next_cursor of the previous page",
        }),
    }),
  },
  responses: {
    200: {
      description: "Deliveries with their last attempts",
      content: { "application/json": { schema: deliveryListSchema } },
    },
    ...problemResponses("invalid_request", webhookProblems.webhook_not_found),
  },
});

const get = createRoute({
  method: "get",
  path: "/webhooks/{webhook_id}/deliveries/{delivery_id}",
  tags,
  operationId: "getWebhookDelivery",
  ...access("client"),
  summary: "Get a delivery with its last attempt",
  request: { params: deliveryParams },
  responses: {
    200: deliveryResponse,
    ...deliveryProblems,
  },
});

const retry = createRoute({
  method: "post",
  path: "/webhooks/{webhook_id}/deliveries/{delivery_id}/retry",
  tags,
  operationId: "retryWebhookDelivery",
  ...access("client"),
  summary: "Send a delivery now",
  description:
    "One that has ended is sent again, with the same webhook-id and all its attempts. It waits for earlier ones of its session.",
  request: { params: deliveryParams },
  responses: {
    202: deliveryResponse,
    ...deliveryProblems,
  },
});

const test = createRoute({
  method: "post",
  path: "/webhooks/{webhook_id}/test",
  tags,
  operationId: "testWebhook",
  ...access("client"),
  summary: "Send a test to a webhook",
  description:
    "The test has the type webhook.test and one attempt. GET the delivery for its result.",
  request: { params },
  responses: {
    202: deliveryResponse,
    ...problemResponses(
      "invalid_request",
      webhookProblems.webhook_not_found,
      webhookProblems.webhook_inactive,
    ),
  },
});

/** Creates the endpoints of deliveries. */
export function createDeliveryRoutes(
  manager: DeliveryManager,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(list, async (c) => {
    const ref = toRef(c, c.req.valid("param"));
    const page = await manager.list(ref, c.req.valid("query"));
    return c.json({
      items: page.items,
      next_cursor: page.nextCursor?.toString() ?? null,
    }, 200);
  });
  router.openapi(get, async (c) => {
    const { delivery_id, ...param } = c.req.valid("param");
    return c.json(await manager.get(toRef(c, param), delivery_id), 200);
  });
  router.openapi(retry, async (c) => {
    const { delivery_id, ...param } = c.req.valid("param");
    return c.json(await manager.retry(toRef(c, param), delivery_id), 202);
  });
  router.openapi(
    test,
    async (c) =>
      c.json(await manager.test(toRef(c, c.req.valid("param"))), 202),
  );
  return router;
}
