import { z } from "@hono/zod-openapi";
import { hasUser } from "../../core/network.ts";
import {
  type SchemaInput,
  type SchemaOutput,
  textSchema,
} from "../../core/schema.ts";
import { labelsSchema } from "../sessions/schemas/labels.ts";
import {
  eventFilterSchema,
  MAX_FILTERS,
} from "../sessions/schemas/observations.ts";
import * as examples from "./examples.ts";
import { DELIVERY_STATUSES, INACTIVE_REASONS } from "./status.ts";
import { TEMPLATE_NAMES } from "./templates.ts";

/** Maximum number of headers of a webhook. */
const MAX_HEADERS = 20;

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** Names that a request has itself. */
const RESERVED =
  /^(?!(?:host|connection|content-length|content-type|content-encoding|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|webhook-.*)$)/i;

/** Printable ASCII without spaces at the ends. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

const HEADER_NAMES = {
  propertyNames: { minLength: 1, maxLength: 100, pattern: HEADER_NAME.source },
};

const headersSchema = z.record(
  z.string().min(1).max(100).regex(HEADER_NAME, "expected the name of a header")
    .regex(RESERVED, "expected a header that webhooks do not set themselves"),
  z.string().max(2_000).regex(
    HEADER_VALUE,
    "expected printable ASCII characters",
  ),
).refine(
  (headers) => Object.keys(headers).length <= MAX_HEADERS,
  `expected at most ${MAX_HEADERS}`,
).openapi({
  description: "Headers of each request, such as Authorization",
  maxProperties: MAX_HEADERS,
  ...HEADER_NAMES,
});

const urlSchema = z.url({ protocol: /^https?$/ }).max(2_000).refine(
  (url) => !hasUser(url),
  "expected no user or password in it, but a header Authorization",
).openapi({
  type: "string",
  format: "uri",
  maxLength: 2_000,
  pattern: "^https?://[^@]+$",
  description: "URL that receives the events: https, of a public address",
});

const idSchema = z.string().min(1).max(100);

const fields = {
  name: textSchema().trim().min(1).max(100).describe("Purpose"),
  description: textSchema().max(1_000).describe("Text for people"),
  url: urlSchema,
  headers: headersSchema,
  event_pattern: z.string().min(1).max(1_100).describe(
    "Type of the events, where * stands for one name between dots, and at the end for all the rest; or names of browser events such as cdp:Page.loadEventFired, joined by commas; or pool.queue_long",
  ),
  filters: z.array(eventFilterSchema).max(MAX_FILTERS).describe(
    "Only browser events that meet all these conditions",
  ),
  queue_longer_than: z.int().min(0).max(1_000_000).nullable().describe(
    "With event_pattern pool.queue_long: number of sessions that may wait in a work pool before the event",
  ),
  labels: labelsSchema.openapi({
    description: "Only events of sessions with all these labels",
  }),
  timeout_seconds: z.int().min(1).max(30).describe(
    "Time within which the receiver must respond",
  ),
  max_attempts: z.int().min(1).max(20).describe(
    "Attempts before a delivery has failed. The pauses between them grow from 5 s to 24 h",
  ),
  include_connect_url: z.boolean().describe(
    "Send connect_url with events of running sessions. It contains a token",
  ),
  active: z.boolean().describe(
    "False: events are not recorded for the webhook, and its deliveries wait",
  ),
};
/** Body of `POST /v1/webhooks`. */
export const webhookInputSchema = z.strictObject({
  ...fields,
  description: fields.description.default(""),
  event_pattern: fields.event_pattern.optional(),
  template: z.enum(TEMPLATE_NAMES).optional().describe(
    "Sets event_pattern and filters; expected instead of event_pattern",
  ),
  filters: fields.filters.default([]),
  queue_longer_than: fields.queue_longer_than.default(null),
  headers: fields.headers.default({}),
  session_id: idSchema.nullable().default(null).describe(
    "Only events of this session",
  ),
  work_pool_id: idSchema.nullable().default(null).describe(
    "Only events of this work pool, of its sessions and its workers: id or name",
  ),
  labels: fields.labels.default({}),
  timeout_seconds: fields.timeout_seconds.default(10),
  max_attempts: fields.max_attempts.default(8),
  include_connect_url: fields.include_connect_url.default(() => false),
  active: fields.active.default(() => true),
});

/** Body of `PATCH /v1/webhooks/{webhook_id}`. */
export const webhookPatchSchema = z.strictObject(fields).partial();

/** Body of `POST /v1/webhooks/{webhook_id}/rotate-secret`. */
export const rotationSchema = z.strictObject({
  overlap_seconds: z.int().min(0).max(7 * 86_400).default(86_400).describe(
    "Time for which requests have a second signature, with the previous secret",
  ),
}).openapi("WebhookRotation", { examples: [{ overlap_seconds: 3_600 }] });

/** A webhook, without its secrets. */
export const webhookSchema = z.object({
  id: z.uuid(),
  owner: z.string().nullable().describe(
    "Client key whose sessions' events are sent; null for all events",
  ),
  name: z.string(),
  description: z.string(),
  url: z.string(),
  headers: z.array(z.string()).describe(
    "Names of the headers; responses do not contain their values",
  ),
  event_pattern: z.string(),
  filters: z.array(eventFilterSchema),
  queue_longer_than: z.int().nullable(),
  session_id: z.string().nullable(),
  work_pool_id: z.string().nullable(),
  labels: z.record(z.string(), z.string()),
  timeout_seconds: z.int(),
  max_attempts: z.int(),
  include_connect_url: z.boolean(),
  active: z.boolean(),
  inactive_reason: z.enum(INACTIVE_REASONS).nullable().describe(
    "requested: by a request. gone: the receiver responded 410. failing: every attempt of five days failed. key: the key of its owner was revoked",
  ),
  failing_since: z.iso.datetime().nullable().describe(
    "First failed attempt since the last successful one",
  ),
  failures: z.int().describe(
    "Failed attempts since the last successful one",
  ),
  dropped_events: z.int().describe(
    "Browser events that were not delivered, because there were too many",
  ),
  previous_secret_until: z.iso.datetime().nullable().describe(
    "Until then requests also have a signature with the previous secret",
  ),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
}).openapi("Webhook", { examples: [examples.webhookExample] });

/** A webhook with its secret. */
export const newWebhookSchema = webhookSchema.extend({
  secret: z.string().describe(
    "Secret of the signatures; no other response contains it",
  ),
}).openapi("NewWebhook", { examples: [examples.newWebhookExample] });

/** Response of `GET /v1/webhooks`. */
export const webhookListSchema = z.object({
  items: z.array(webhookSchema),
  next_cursor: z.string().nullable(),
}).openapi("WebhookList", {
  examples: [{ items: [examples.webhookExample], next_cursor: null }],
});

/** A delivery of an event to a webhook. */
export const deliverySchema = z.object({
  id: z.int(),
  webhook_id: z.string(),
  message_id: z.string().describe(
    "Header webhook-id, the same in every attempt",
  ),
  event_sequence: z.int().nullable(),
  type: z.string(),
  status: z.enum(DELIVERY_STATUSES),
  attempts: z.int(),
  status_code: z.int().nullable().describe("Status of the last response"),
  duration_ms: z.int().nullable().describe("Duration of the last attempt"),
  error: z.string().nullable().describe("Why the last attempt failed"),
  response: z.string().nullable().describe(
    "Start of the last response, up to 4 KB",
  ),
  timestamp: z.iso.datetime().describe("Time of the event"),
  next_attempt_at: z.iso.datetime().nullable().describe(
    "Null if it has ended, or waits for the one before it",
  ),
  last_attempt_at: z.iso.datetime().nullable(),
  ended_at: z.iso.datetime().nullable(),
}).openapi("WebhookDelivery", { examples: [examples.deliveryExample] });

/** Response of `GET /v1/webhooks/{webhook_id}/deliveries`. */
export const deliveryListSchema = z.object({
  items: z.array(deliverySchema),
  next_cursor: z.string().nullable(),
}).openapi("WebhookDeliveryList", {
  examples: [{ items: [examples.deliveryExample], next_cursor: null }],
});

/** Types of the schemas in this file, from which the types below derive. */
export type WebhookSchemas = typeof import("./schemas.ts");

/** Body of `POST /v1/webhooks`. */
export type WebhookBody = SchemaInput<
  WebhookSchemas["webhookInputSchema"]
>;

/** Body of `POST /v1/webhooks`, with defaults applied. */
export type WebhookInput = SchemaOutput<
  WebhookSchemas["webhookInputSchema"]
>;

/** Body of `PATCH /v1/webhooks/{webhook_id}`. */
export type WebhookPatch = SchemaOutput<
  WebhookSchemas["webhookPatchSchema"]
>;

/** A webhook in a response. */
export type WebhookWire = SchemaOutput<WebhookSchemas["webhookSchema"]>;

/** A webhook in a response, with its secret. */
export type NewWebhookWire = SchemaOutput<WebhookSchemas["newWebhookSchema"]>;

/** A delivery in a response. */
export type DeliveryWire = SchemaOutput<WebhookSchemas["deliverySchema"]>;
