/**
 * Schemas of the browser events that a worker observes for webhooks.
 *
 * @module
 */
import type { SchemaOutput } from "../../../core/schema.ts";
import { textSchema } from "../../../core/schema.ts";
import { z } from "@hono/zod-openapi";
import * as examples from "../examples.ts";

/** Maximum number of filters of a webhook. */
export const MAX_FILTERS = 10;

/** Levels of names below `params` that a path may have. */
const MAX_DEPTH = 10;

/** Matches the name of an event of the Chrome DevTools Protocol. */
export const CDP_EVENT = /^[A-Z]\w{0,39}\.\w{1,60}$/;

const PATH = new RegExp(
  `^(method|target\\.(id|type|url)|params(\\.[\\w$-]{1,60}){1,${MAX_DEPTH}})$`,
);

const path = z.string().max(700).regex(
  PATH,
  `expected a path such as params.response.status with at most ${MAX_DEPTH} names after params, method, or target.id, target.type or target.url`,
).describe(
  "Member of the event: names joined by dots, where a number stands for an item of a list",
);

/** Condition on a member of a browser event. */
export const eventFilterSchema = z.discriminatedUnion("operator", [
  z.strictObject({
    path,
    operator: z.enum(["eq", "ne"]).describe(
      "ne also matches an event without the member",
    ),
    value: z.union([
      textSchema().max(500),
      z.number(),
      z.boolean(),
      z.null(),
    ]),
  }),
  z.strictObject({
    path,
    operator: z.enum(["lt", "le", "gt", "ge"]),
    value: z.number(),
  }),
  z.strictObject({
    path,
    operator: z.literal("glob"),
    value: textSchema().min(1).max(200).describe(
      "Text in which * stands for any text",
    ),
  }),
  z.strictObject({
    path,
    operator: z.literal("exists"),
    value: z.boolean().describe("False: the event must not have the member"),
  }),
], "expected an operator: eq, ne, lt, le, gt, ge, glob or exists");

/** Browser events that a worker sends for one webhook. */
export const observationSchema = z.object({
  webhook_id: z.uuid(),
  events: z.array(z.string().regex(CDP_EVENT)).describe(
    "Names of events of the Chrome DevTools Protocol",
  ),
  filters: z.array(eventFilterSchema).describe(
    "Conditions that an event must meet",
  ),
}).openapi("Observation", {
  description: "Browser events that a worker sends for a webhook",
  examples: [examples.observationExample],
});

/** Types of the schemas in this file, from which the types below derive. */
export type ObservationSchemas = typeof import("./observations.ts");

/** Condition on a member of a browser event. */
export type EventFilter = SchemaOutput<ObservationSchemas["eventFilterSchema"]>;

/** Browser events that a worker sends for one webhook. */
export type Observation = SchemaOutput<ObservationSchemas["observationSchema"]>;
