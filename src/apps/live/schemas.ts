import { z } from "@hono/zod-openapi";
import {
  type SchemaInput,
  type SchemaOutput,
  textSchema,
} from "../../core/schema.ts";
import { linkExample, newLinkExample } from "./examples.ts";
import { LINK_MODES, LINK_STATUSES } from "./status.ts";

/** Lifetime of a link by default. */
const DEFAULT_SECONDS = 3_600;

/** Longest lifetime of a link, as of a session. */
const MAX_SECONDS = 7 * 86_400;

const modeSchema = z.enum(LINK_MODES);

/** Body of `POST /v1/sessions/{id}/live-links`. */
export const linkInputSchema = z.strictObject({
  mode: modeSchema.default("view").describe(
    "view: to watch the browser. control: also to take control of it",
  ),
  expires_in_seconds: z.int().min(1).max(MAX_SECONDS).default(DEFAULT_SECONDS)
    .describe(
      "Time after which the link ends. It ends with its session at the latest",
    ),
  note: textSchema().trim().max(200).default("").describe("Text for people"),
}).openapi("LiveLinkInput", {
  examples: [{ mode: "control", expires_in_seconds: 1_800 }],
});

/** A link, without its token. */
export const linkSchema = z.object({
  id: z.uuid(),
  session_id: z.uuid(),
  mode: modeSchema,
  status: z.enum(LINK_STATUSES).describe(
    "revoked also if the key of its creator is; expired also if its session has ended",
  ),
  note: z.string(),
  created_by: z.string().describe("Id of the caller that created the link"),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  revoked_at: z.iso.datetime().nullable(),
}).openapi("LiveLink", { examples: [linkExample] });

/** A new link. */
export const newLinkSchema = linkSchema.extend({
  url: z.string().describe(
    "Address of the live view for people, with the token in its fragment; no other response contains it",
  ),
}).openapi("NewLiveLink", { examples: [newLinkExample] });

/** Response of `GET /v1/sessions/{id}/live-links`. */
export const linkListSchema = z.object({ items: z.array(linkSchema) })
  .openapi("LiveLinkList", { examples: [{ items: [linkExample] }] });

/** Types of the schemas in this file, from which the types below derive. */
export type LiveLinkSchemas = typeof import("./schemas.ts");

/** Body of `POST /v1/sessions/{id}/live-links`. */
export type LiveLinkBody = SchemaInput<LiveLinkSchemas["linkInputSchema"]>;

/** A link in a response, without its token. */
export type LiveLinkWire = SchemaOutput<LiveLinkSchemas["linkSchema"]>;

/** A new link in a response, with its address. */
export type NewLiveLinkWire = SchemaOutput<LiveLinkSchemas["newLinkSchema"]>;

/** The links of a session. */
export type LiveLinkList = SchemaOutput<LiveLinkSchemas["linkListSchema"]>;
