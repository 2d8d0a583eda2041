import type { SchemaOutput } from "../../core/schema.ts";
import { z } from "@hono/zod-openapi";
import * as examples from "./examples.ts";
import { pickPart } from "../../http/declared_fields.ts";
import { sessionEventSchema, sessionMetricSchema } from "./schemas/history.ts";
import { identityFields, recordedFields } from "./schemas/recorded_fields.ts";
import { requestedFields } from "./schemas/requested_fields.ts";

/** Body of `POST /v1/sessions`. An absent member is resolved from the pool, then from the defaults of the grid. */
export const sessionInputSchema = z.strictObject(
  pickPart(requestedFields, "input"),
).partial().openapi("SessionInput", {
  description:
    "The requested browser. An absent member is resolved from the pool, then from the defaults of the grid",
  examples: [examples.sessionInputExample],
});

/** Body of `refresh`; may be left out. */
export const refreshInputSchema = z.strictObject({
  timeout_minutes: z.number().gt(0).max(7 * 24 * 60).optional().describe(
    "Lifetime from now; by default the session's own timeout_minutes",
  ),
}).openapi("RefreshInput", { examples: [{ timeout_minutes: 30 }] });

/** A session in responses, without the proxy's password and the values of the environment. */
export const sessionSchema = z.object({
  ...pickPart(identityFields, "wire"),
  ...pickPart(requestedFields, "wire"),
  ...pickPart(recordedFields, "wire"),
}).openapi("Session", {
  description:
    "A session. It never contains the proxy's password or the values of the environment",
  examples: [examples.sessionExample],
});

/** Response of `GET /v1/sessions/{id}`: `include=events,metrics` adds the last of each. */
export const sessionDetailSchema = sessionSchema.extend({
  events: z.array(sessionEventSchema).optional(),
  metrics: z.array(sessionMetricSchema).optional(),
}).openapi("SessionDetail", {
  description:
    "A session. With `include`, it also contains its last events and metrics",
  examples: [examples.sessionExample],
});

/** Response of `GET /v1/sessions`, newest first. */
export const sessionListSchema = z.object({
  items: z.array(sessionSchema),
  next_cursor: z.string().nullable(),
}).openapi("SessionList", {
  examples: [{ items: [examples.sessionExample], next_cursor: null }],
});

/** Types of the schemas in this file, from which the types below derive. */
export type SessionSchemas = typeof import("./schemas.ts");

/** Body of a new session. */
export type SessionInput = SchemaOutput<SessionSchemas["sessionInputSchema"]>;

/** A session in a response. */
export type SessionWire = SchemaOutput<SessionSchemas["sessionSchema"]>;

/** A session in a response, with its last events and metrics if requested. */
export type SessionDetailWire = SchemaOutput<
  SessionSchemas["sessionDetailSchema"]
>;
