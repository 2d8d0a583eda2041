import { z } from "@hono/zod-openapi";
import {
  type SchemaInput,
  type SchemaOutput,
  textSchema,
} from "../../core/schema.ts";
import * as examples from "./examples.ts";
import { HANDOVER_STATUSES, PERSON_RESULTS } from "./status.ts";

/** Longest timeout of a request, the longest lifetime of a session. */
const MAX_TIMEOUT_SECONDS = 7 * 24 * 3_600;

/** Maximum length of a pattern and of a selector. */
const MAX_CONDITION = 500;

const conditionSchema = z.strictObject({
  url: textSchema().min(1).max(MAX_CONDITION).optional().describe(
    "Pattern of the URL of a page; `*` stands for any text",
  ),
  selector: textSchema().min(1).max(MAX_CONDITION).optional().describe(
    "CSS selector of an element in the main document of a page",
  ),
}).refine(
  ({ url, selector }) => url !== undefined || selector !== undefined,
  "expected url, selector or both",
).openapi({
  minProperties: 1,
  description:
    "Ends the request as soon as one page of the session meets it; with both members, both of them",
});

/** Body of `POST /v1/sessions/{id}/handover`. */
export const handoverInputSchema = z.strictObject({
  reason: textSchema().min(1).max(500).describe("What the person is to do"),
  timeout_seconds: z.number().min(1).max(MAX_TIMEOUT_SECONDS).default(600)
    .describe(
      "Time after which the request ends without the person; it also ends with the session",
    ),
  until: conditionSchema.optional(),
  hold: z.boolean().default(() => false).describe(
    "Reject commands of the session's clients that would act on its pages while the request is open",
  ),
}).openapi("HandoverInput", {
  description: "A request to a person to take control of a session",
  examples: [examples.handoverInputExample],
});

/** A request to a person in responses. */
export const handoverSchema = z.object({
  id: z.uuid(),
  session_id: z.uuid(),
  status: z.enum(HANDOVER_STATUSES).describe(
    "open, or how the request ended: the person was done or declined, the timeout passed, the condition was met, the client cancelled it, or the session ended",
  ),
  reason: z.string(),
  hold: z.boolean(),
  until: z.object({
    url: z.string().nullable(),
    selector: z.string().nullable(),
  }).nullable().describe("The condition that ends the request"),
  until_error: z.string().nullable().describe(
    "Why the browser cannot check the condition, such as an invalid selector",
  ),
  note: z.string().nullable().describe("What the person said at the end"),
  requested_by: z.string(),
  resolved_by: z.string().nullable().describe(
    "Id of the key or link that ended the request; null without one",
  ),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  resolved_at: z.iso.datetime().nullable(),
}).openapi("Handover", {
  description: "A request to a person to take control of a session",
  examples: [examples.handoverExample],
});

/** Response to a new request. */
export const newHandoverSchema = handoverSchema.extend({
  live_url: z.string().nullable().describe(
    "Address of the live view with control, for the person. It is shown once, and is revoked when the request ends; null if the live view is off",
  ),
}).openapi("NewHandover", {
  description: "A new request, with the address for the person",
  examples: [{
    ...examples.handoverExample,
    live_url: "https://grid.example/live#lv_token",
  }],
});

/** Body of `POST /v1/sessions/{id}/handover/finish`; may be left out. */
export const finishInputSchema = z.strictObject({
  result: z.enum(PERSON_RESULTS).default("done").describe(
    "Whether the person did what was asked",
  ),
  note: textSchema().max(1_000).optional().describe("Message to the client"),
}).openapi("HandoverFinish", {
  description: "The end of a request, by the person",
  examples: [{ result: "done", note: "Signed in" }],
});

/** Types of the schemas in this file, from which the types below derive. */
export type HandoverSchemas = typeof import("./schemas.ts");

/** Body of a new request. */
export type HandoverInput = SchemaOutput<
  HandoverSchemas["handoverInputSchema"]
>;

/** Body of a new request, as programs write it. */
export type HandoverBody = SchemaInput<HandoverSchemas["handoverInputSchema"]>;

/** The end of a request by the person, as programs write it. */
export type HandoverFinish = SchemaInput<HandoverSchemas["finishInputSchema"]>;

/** A new request, with the address for the person. */
export type NewHandoverWire = SchemaOutput<
  HandoverSchemas["newHandoverSchema"]
>;

/** A request to a person in a response. */
export type HandoverWire = SchemaOutput<HandoverSchemas["handoverSchema"]>;
