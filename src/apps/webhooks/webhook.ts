import { createRowRenderer, toIsoTime } from "../../http/wire_form.ts";
import type { webhookDeliveries, webhooks } from "./models.ts";
import {
  type DeliveryWire,
  webhookSchema,
  type WebhookWire,
} from "./schemas.ts";

/** A stored webhook. */
export type WebhookRow = Readonly<typeof webhooks.$inferSelect>;

/** A stored delivery. */
export type DeliveryRow = Readonly<typeof webhookDeliveries.$inferSelect>;

/** A webhook as requests read it, without secrets. */
export type Webhook = Omit<
  WebhookRow,
  "secret" | "previousSecret" | "deletedAt" | "longQueues"
>;

/** A delivery as requests read it. */
export type Delivery = Omit<DeliveryRow, "data" | "subject">;

const renderColumns = createRowRenderer(
  webhookSchema.omit({ headers: true, previous_secret_until: true }),
);

/** Renders a webhook for responses, with the names of its headers only. */
export function renderWebhook(
  webhook: Webhook,
  now: number,
): WebhookWire {
  const until = webhook.previousSecretUntil ?? 0;
  return {
    ...renderColumns(webhook),
    headers: Object.keys(webhook.headers),
    previous_secret_until: until > now ? toIsoTime(until) : null,
  };
}

/** Renders a delivery for responses. */
export function renderDelivery(delivery: Delivery): DeliveryWire {
  const { leaseToken, dueAt, lastAttemptAt, endedAt } = delivery;
  const time = (ms: number | null) => ms === null ? null : toIsoTime(ms);
  return {
    id: delivery.id,
    webhook_id: delivery.webhookId,
    message_id: delivery.messageId,
    event_sequence: delivery.eventSequence,
    type: delivery.type,
    status: delivery.status,
    attempts: delivery.attempts,
    status_code: delivery.statusCode,
    duration_ms: delivery.durationMs,
    error: delivery.error,
    response: delivery.response,
    timestamp: toIsoTime(delivery.timestamp),
    // Of an attempt that runs, it is the end of its lease.
    next_attempt_at: leaseToken === null ? time(dueAt) : null,
    last_attempt_at: time(lastAttemptAt),
    ended_at: time(endedAt),
  };
}
