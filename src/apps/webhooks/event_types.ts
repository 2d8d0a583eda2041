import { z } from "@hono/zod-openapi";
import type { EventType } from "../../core/app.ts";

const webhook = z.looseObject({
  webhook_id: z.string(),
  name: z.string(),
  reason: z.string().describe("Why the webhook is not active"),
});

/** Types of the events of webhooks. A webhook does not receive those of itself. */
export const WEBHOOK_EVENT_TYPES = {
  "webhook.paused": {
    description: "A webhook is not active because it failed for five days",
    data: webhook,
  },
  "webhook.disabled": {
    description: "A webhook is not active because its receiver responded 410",
    data: webhook,
  },
} as const satisfies Readonly<Record<string, EventType>>;

/** Type of an event of a webhook. */
export type WebhookEventType = keyof typeof WEBHOOK_EVENT_TYPES;
