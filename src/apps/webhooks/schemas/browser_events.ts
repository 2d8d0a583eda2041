/**
 * Schemas of the endpoint by which workers send browser events.
 *
 * @module
 */
import type { SchemaInput, SchemaOutput } from "../../../core/schema.ts";
import { storableObjectSchema, textSchema } from "../../../core/schema.ts";
import { z } from "@hono/zod-openapi";
import { CDP_EVENT } from "../../sessions/schemas/observations.ts";
import { browserEventsExample } from "../examples.ts";

/** Maximum number of events in one request. */
export const MAX_EVENTS = 100;

/** Maximum length of the JSON of an event's parameters. */
export const MAX_PARAMS = 16_384;

const sessionFields = {
  webhook_id: z.uuid(),
  session_id: z.uuid(),
  fencing_token: z.int().min(1),
};

const countSchema = z.int().min(0).max(1e9);

const paramsSchema = storableObjectSchema().refine(
  (params) => JSON.stringify(params).length <= MAX_PARAMS,
  `expected at most ${MAX_PARAMS} characters of JSON`,
);

/** Body of `POST /v1/workerpool/workers/{worker_id}/browser-events`. */
export const browserEventsSchema = z.strictObject({
  events: z.array(z.strictObject({
    ...sessionFields,
    id: z.string().regex(/^[\w-]{1,64}$/, "expected an id").describe(
      "Id of the event and the webhook; an event with a known id is ignored",
    ),
    method: z.string().regex(CDP_EVENT, "expected the name of an event"),
    age_ms: z.number().min(0).max(3_600_000).describe(
      "Time since the event. A duration, because clocks may differ",
    ),
    target: z.strictObject({
      id: textSchema().max(100),
      type: textSchema().max(100),
      url: textSchema().max(2_000),
    }).describe("Page, frame or worker of the event"),
    params: paramsSchema,
    truncated: z.boolean().default(() => false).describe(
      "Long parts of params are missing",
    ),
    dropped: countSchema.default(() => 0).describe(
      "Events that were dropped since the one before it",
    ),
  })).max(MAX_EVENTS).default([]),
  dropped: z.array(z.strictObject({ ...sessionFields, count: countSchema }))
    .max(MAX_EVENTS).default([]).describe(
      "Numbers of events that were dropped since the last request",
    ),
}).openapi("BrowserEvents", {
  description: "Browser events for webhooks, oldest first",
  examples: [browserEventsExample],
});

/** Response to browser events. */
export const browserEventsResultSchema = z.object({
  accepted: z.int().describe(
    "Number of events that are delivered. The others are known, or no active webhook receives them, or too many wait",
  ),
}).openapi("BrowserEventsResult", { examples: [{ accepted: 1 }] });

/** Types of the schemas in this file, from which the types below derive. */
export type BrowserEventSchemas = typeof import("./browser_events.ts");

/** Browser events as a worker sends them. */
export type BrowserEventsInput = SchemaInput<
  BrowserEventSchemas["browserEventsSchema"]
>;

/** Browser events, with defaults applied. */
export type BrowserEvents = SchemaOutput<
  BrowserEventSchemas["browserEventsSchema"]
>;

/** Response to browser events. */
export type BrowserEventsResult = SchemaOutput<
  BrowserEventSchemas["browserEventsResultSchema"]
>;
