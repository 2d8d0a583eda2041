import { isNotNull, isNull, type SQL, sql } from "drizzle-orm";
import {
  index,
  integer,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { apiKeys } from "../keys/models.ts";
import type { EventFilter } from "../sessions/schemas/observations.ts";
import { DELIVERY_STATUSES, INACTIVE_REASONS } from "./status.ts";

/** Condition of the index of active webhooks for browser events; a query repeats it word by word. */
const BROWSER_HOOK = "active = 1 AND event_pattern GLOB 'cdp:*'";

/** Condition of the index of active webhooks for long queues. */
const QUEUE_HOOK = "active = 1 AND queue_longer_than IS NOT NULL";

/**
 * Receivers of events. `secret`, `previous_secret` and the values of `headers` are encrypted.
 *
 * The trigger `webhook_outbox` on `events` inserts a delivery for each active webhook that an event matches.
 */
export const webhooks = sqliteTable("webhooks", {
  id: text().primaryKey(),
  /** Key of the client that created the webhook, which receives the events of its own sessions; null for an admin. */
  owner: text(),
  name: text().notNull(),
  description: text().notNull(),
  url: text().notNull(),
  headers: text({ mode: "json" }).notNull().$type<Record<string, string>>(),
  secret: text().notNull(),
  /** Secret before the last rotation, which signs until `previous_secret_until`. */
  previousSecret: text("previous_secret"),
  previousSecretUntil: integer("previous_secret_until"),
  /** A pattern of events of the grid, or names of browser events with the prefix `cdp:`, joined by commas. */
  eventPattern: text("event_pattern").notNull(),
  filters: text({ mode: "json" }).notNull().default([]).$type<
    readonly EventFilter[]
  >(),
  queueLongerThan: integer("queue_longer_than"),
  /** Ids of the work pools whose queue was longer at the last check. */
  longQueues: text("long_queues", { mode: "json" }).notNull().default([])
    .$type<readonly string[]>(),
  sessionId: text("session_id"),
  workPoolId: text("work_pool_id"),
  labels: text({ mode: "json" }).notNull().$type<Record<string, string>>(),
  timeoutSeconds: integer("timeout_seconds").notNull(),
  maxAttempts: integer("max_attempts").notNull(),
  includeConnectUrl: integer("include_connect_url", { mode: "boolean" })
    .notNull(),
  active: integer({ mode: "boolean" }).notNull(),
  inactiveReason: text("inactive_reason", { enum: INACTIVE_REASONS }),
  /** Time of the first failed attempt since the last successful one. */
  failingSince: integer("failing_since"),
  /** Number of failed attempts since the last successful one. */
  failures: integer().notNull(),
  /** Number of browser events that were not delivered, because there were too many. */
  droppedEvents: integer("dropped_events").notNull().default(0),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
  /** Set until the deliveries are deleted, which takes several steps. */
  deletedAt: integer("deleted_at"),
}, (table) => [
  // The trigger on events reads it for each event.
  index("webhooks_active").on(table.id).where(sql`${table.active} = 1`),
  // Claims and heartbeats read it.
  index("webhooks_browser").on(table.id).where(sql.raw(BROWSER_HOOK)),
  index("webhooks_queue").on(table.id).where(sql.raw(QUEUE_HOOK)),
  index("webhooks_deleted").on(table.id).where(isNotNull(table.deletedAt)),
  index("webhooks_owner").on(table.owner, table.id).where(
    isNull(table.deletedAt),
  ),
]);

/**
 * Outbox of webhooks. `id` is the order of the events.
 *
 * Of the deliveries of one subject that have not ended, only the first has a `due_at`: a trigger sets the one of the next
 * delivery when it ends. An attempt moves `due_at` to the end of its lease, so that another server repeats the attempt if the
 * first one stops.
 */
export const webhookDeliveries = sqliteTable("webhook_deliveries", {
  id: integer().primaryKey({ autoIncrement: true }),
  webhookId: text("webhook_id").notNull(),
  /** Value of the header `webhook-id`, the same in every attempt. */
  messageId: text("message_id").notNull(),
  eventSequence: integer("event_sequence"),
  type: text().notNull(),
  /** Id of the session, worker or work pool whose events are delivered in order. */
  subject: text().notNull(),
  /** JSON object that is the member `data` of the body. */
  data: text().notNull(),
  /** Time of the event. */
  timestamp: integer().notNull(),
  status: text({ enum: DELIVERY_STATUSES }).notNull(),
  attempts: integer().notNull(),
  dueAt: integer("due_at"),
  leaseToken: text("lease_token"),
  lastAttemptAt: integer("last_attempt_at"),
  durationMs: integer("duration_ms"),
  statusCode: integer("status_code"),
  error: text(),
  response: text(),
  endedAt: integer("ended_at"),
}, (table) => [
  index("webhook_deliveries_webhook").on(table.webhookId),
  index("webhook_deliveries_due").on(table.webhookId, table.dueAt).where(
    isNotNull(table.dueAt),
  ),
  index("webhook_deliveries_open").on(table.webhookId, table.subject).where(
    isNull(table.endedAt),
  ),
  index("webhook_deliveries_lease").on(table.leaseToken).where(
    isNotNull(table.leaseToken),
  ),
  // A worker may send a browser event again.
  uniqueIndex("webhook_deliveries_message").on(
    table.webhookId,
    table.messageId,
  ).where(isNull(table.eventSequence)),
  index("webhook_deliveries_ended").on(table.endedAt).where(
    isNotNull(table.endedAt),
  ),
]);

/** Active webhooks for browser events, as `hook`. */
export const browserHooks: SQL =
  sql`(SELECT * FROM ${webhooks} INDEXED BY webhooks_browser
    WHERE ${sql.raw(BROWSER_HOOK)}) AS hook`;

/** Active webhooks for long queues, as `hook`. */
export const queueHooks: SQL =
  sql`(SELECT * FROM ${webhooks} INDEXED BY webhooks_queue
    WHERE ${sql.raw(QUEUE_HOOK)}) AS hook`;

/**
 * Returns the condition that the webhook `hook` receives the events of a session: the rule of the trigger on events.
 *
 * @param session Name of the table of the session in the query.
 */
export function receivesFrom(session: SQL, now: SQL): SQL {
  return sql`${session}.webhooks_enabled = 1
    AND (hook.session_id IS NULL OR hook.session_id = ${session}.id)
    AND (hook.work_pool_id IS NULL
      OR hook.work_pool_id = ${session}.work_pool_id)
    AND (hook.owner IS NULL OR (hook.owner = ${session}.owner
      AND NOT EXISTS (SELECT 1 FROM ${apiKeys} AS k WHERE k.id = hook.owner
        AND (k.revoked_at IS NOT NULL OR k.expires_at <= ${now}))))
    AND (hook.labels = '{}' OR NOT EXISTS (
      SELECT 1 FROM json_each(hook.labels) AS label WHERE NOT EXISTS (
        SELECT 1 FROM session_labels AS l WHERE l.name = label.key
        AND l.value = label.value AND l.session_id = ${session}.id)))`;
}

/** SQL of the JSON of the observation for the webhook `hook`. */
export const observationJson: SQL =
  sql`json_object('webhook_id', hook.id, 'events', hook.event_pattern,
    'filters', json(hook.filters))`;
