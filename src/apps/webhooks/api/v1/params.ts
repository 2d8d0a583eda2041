import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { GridEnv } from "../../../../core/middleware.ts";
import { findOwnerLimit, getCaller } from "../../../../http/auth/access.ts";
import type { WebhookRef } from "../../store/webhooks.ts";

/** Path parameters of a webhook. */
export const params = z.object({
  webhook_id: z.string().min(1).max(100).describe("Id of a webhook"),
});

/** Path parameters of a delivery. */
export const deliveryParams = params.extend({
  delivery_id: z.coerce.number().int().min(1).describe("Id of a delivery"),
});

/** Returns the webhook of a path, limited to those of the caller. */
export function toRef(
  c: Context<GridEnv>,
  { webhook_id }: z.infer<typeof params>,
): WebhookRef {
  return { id: webhook_id, owner: findOwnerLimit(getCaller(c)) };
}
