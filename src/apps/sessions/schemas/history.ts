import type { SchemaOutput } from "../../../core/schema.ts";
import { z } from "@hono/zod-openapi";
import { jsonObjectSchema } from "../../../core/schema.ts";
import * as examples from "../examples.ts";
import { SESSION_EVENTS } from "../status.ts";

export const sessionEventSchema = z.object({
  seq: z.int(),
  session_id: z.uuid(),
  event: z.enum(SESSION_EVENTS),
  data: z.record(z.string(), z.unknown()),
  timestamp: z.iso.datetime(),
}).openapi("SessionEvent", {
  description: "An event of a session",
  examples: [examples.sessionEventExample],
});

const DATA_LENGTH = 65_536;

const eventDataSchema = jsonObjectSchema().refine(
  (data) => JSON.stringify(data).length <= DATA_LENGTH,
  `expected at most ${DATA_LENGTH} characters of JSON`,
).openapi({
  description:
    `Any JSON of at most ${DATA_LENGTH} characters, nested at most 32 levels deep`,
});

/** Body of `POST /v1/sessions/{id}/events`, by the worker that holds the session. */
export const sessionEventInputSchema = z.strictObject({
  fencing_token: z.int().min(1),
  event: z.enum(SESSION_EVENTS),
  data: eventDataSchema.default({}),
}).openapi("SessionEventInput", {
  examples: [examples.sessionEventInputExample],
});

const metricFields = {
  cpu_percent: z.number().min(0).nullable().default(null),
  memory_mb: z.number().min(0).nullable().default(null),
  network_rx_bytes: z.int().min(0).nullable().default(null),
  network_tx_bytes: z.int().min(0).nullable().default(null),
};

export const sessionMetricValuesSchema = z.strictObject(metricFields);

export const sessionMetricSchema = z.object({
  ...metricFields,
  session_id: z.uuid(),
  timestamp: z.iso.datetime(),
}).openapi("SessionMetric", {
  description: "A measurement of a session's browser",
  examples: [examples.sessionMetricExample],
});

/** Body of `POST /v1/sessions/{id}/metrics`, by the worker that holds the session. */
export const sessionMetricInputSchema = z.strictObject({
  ...metricFields,
  fencing_token: z.int().min(1),
}).openapi("SessionMetricInput", {
  examples: [examples.sessionMetricInputExample],
});

export const sessionEventListSchema = z.object({
  items: z.array(sessionEventSchema),
}).openapi("SessionEventList", {
  examples: [{ items: [examples.sessionEventExample] }],
});

export const sessionMetricListSchema = z.object({
  items: z.array(sessionMetricSchema),
}).openapi("SessionMetricList", {
  examples: [{ items: [examples.sessionMetricExample] }],
});

/** Types of the schemas in this file, from which the types below derive. */
export type SessionHistorySchemas = typeof import("./history.ts");

/** An event of a session in responses. */
export type SessionEventWire = SchemaOutput<
  SessionHistorySchemas["sessionEventSchema"]
>;
/** A measurement of a session in responses. */
export type SessionMetricWire = SchemaOutput<
  SessionHistorySchemas["sessionMetricSchema"]
>;
/** The values of a measurement. */
export type SessionMetricValues = SchemaOutput<
  SessionHistorySchemas["sessionMetricValuesSchema"]
>;
