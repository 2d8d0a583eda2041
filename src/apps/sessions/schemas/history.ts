import type { SchemaOutput } from "../../../core/schema.ts";
import { z } from "@hono/zod-openapi";
import { jsonObjectSchema } from "../../../core/schema.ts";
import * as examples from "../examples.ts";
import { nextSinceSchema } from "../../../http/series_query.ts";
import { SESSION_EVENT_DATA, SESSION_EVENTS } from "../event_types.ts";

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
}).superRefine(({ event, data }, context) => {
  const { error } = SESSION_EVENT_DATA.get(event)?.safeParse(data) ?? {};
  for (const { path, message } of error?.issues ?? []) {
    context.addIssue({ code: "custom", path: ["data", ...path], message });
  }
}).openapi("SessionEventInput", {
  examples: [examples.sessionEventInputExample],
});

/** Maximum length of a part of followed output. */
const PART_LENGTH = 65_536;

/** Body of `POST /v1/sessions/{id}/logs`, by the worker that holds the session. */
export const sessionLogInputSchema = z.strictObject({
  fencing_token: z.int().min(1),
  text: z.string().max(PART_LENGTH).default("").describe(
    "New output. Without any, the request asks whether the output is still followed",
  ),
  omitted_bytes: z.int().min(0).default(0).describe(
    "Number of bytes that were left out before the text",
  ),
  first: z.boolean().optional().describe(
    "True if the text begins with the last lines from before the worker began to send",
  ),
}).openapi("SessionLogInput", { examples: [examples.sessionLogInputExample] });

/** Response to a part of followed output. */
export const sessionLogResultSchema = z.object({
  followed: z.boolean().describe(
    "False: nothing follows the session; the worker stops to send its output",
  ),
}).openapi("SessionLogResult", {
  description: "Whether clients follow the output of a session",
  examples: [{ followed: true }],
});

const counterSchema = () => z.int().min(0).nullable().default(null);

const metricFields = {
  cpu_percent: z.number().min(0).nullable().default(null).describe(
    "Use since the measurement before; 100 is one core",
  ),
  memory_mb: z.number().min(0).nullable().default(null),
  network_rx_bytes: counterSchema().describe(
    "Bytes received since the browser's start; null if the provider does not count them",
  ),
  network_tx_bytes: counterSchema().describe("Bytes sent, likewise"),
  disk_read_bytes: counterSchema().describe(
    "Bytes read from disks since the browser's start; null if the system does not count them",
  ),
  disk_write_bytes: counterSchema().describe("Bytes written, likewise"),
};

export const sessionMetricValuesSchema = z.strictObject(metricFields);

export const sessionMetricSchema = z.object({
  ...metricFields,
  cpu_percent_max: z.number().nullable(),
  memory_mb_max: z.number().nullable(),
  samples: z.int().describe("Number of measurements that it stands for"),
  session_id: z.uuid(),
  timestamp: z.iso.datetime().describe("Time, or start of the interval"),
}).openapi("SessionMetric", {
  description:
    "A measurement of a session's browser, or several of an interval: their means, maxima, and the last values of counters",
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
  next_since: nextSinceSchema,
}).openapi("SessionMetricList", {
  examples: [{ items: [examples.sessionMetricExample], next_since: null }],
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
