import type { SchemaOutput } from "../../core/schema.ts";
import { z } from "@hono/zod-openapi";
import { type Role, ROLES } from "../../core/caller.ts";
import * as examples from "./examples.ts";

/** Statuses of a key. Only an `active` key authenticates. */
export const KEY_STATUSES = ["active", "expired", "revoked"] as const;

const roleSchema = z.enum(ROLES);

/** Roles whose keys cannot be restricted to a work pool. */
const UNRESTRICTED: readonly Role[] = ["admin", "metrics"];

const maxSessionsSchema = z.int().min(1).max(100_000);
const maxQueueSchema = z.int().min(0).max(1_000_000);
const maxPrioritySchema = z.int().min(-1_000).max(1_000);

/** Body of `POST /v1/keys`. */
export const keyInputSchema = z.strictObject({
  name: z.string().trim().min(1).max(100).describe("Purpose of the key"),
  role: roleSchema.describe(
    "admin: may do everything; client: may use sessions that it created; worker: may call the endpoints of workers; metrics: may read GET /metrics only",
  ),
  work_pool_id: z.string().min(1).max(100).optional().describe(
    "Id or name of the only work pool that the key may use; not allowed for an admin or metrics key",
  ),
  max_sessions: maxSessionsSchema.optional().describe(
    "Maximum number of sessions of this key that start or run at the same time, in all pools; further ones wait",
  ),
  max_queue: maxQueueSchema.optional().describe(
    "Maximum number of sessions of this key that wait, in addition to those that could start at once; one more is rejected with 429",
  ),
  max_priority: maxPrioritySchema.optional().describe(
    "Highest priority that sessions of this key may request; by default a client is limited to the priority of the pool",
  ),
  expires_at: z.iso.datetime({ offset: true }).optional().describe(
    "Time at which the key expires, in the future; without it and expires_in_days the key does not expire",
  ),
  expires_in_days: z.number().gt(0).max(36_500).optional().describe(
    "Lifetime in days; if expires_at is set too, the earlier time applies",
  ),
}).refine(
  ({ role, work_pool_id }) =>
    !UNRESTRICTED.includes(role) || work_pool_id === undefined,
  {
    path: ["work_pool_id"],
    error:
      "expected none for an admin or metrics key, which covers every work pool",
  },
).openapi("KeyInput", { examples: [examples.keyInputExample] });

/** A key, without the key itself and its hash. */
export const keySchema = z.object({
  id: z.uuid(),
  name: z.string(),
  prefix: z.string().describe("First characters of the key"),
  role: roleSchema,
  work_pool_id: z.uuid().nullable(),
  max_sessions: maxSessionsSchema.nullable(),
  max_queue: maxQueueSchema.nullable(),
  max_priority: maxPrioritySchema.nullable(),
  status: z.enum(KEY_STATUSES),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  last_used_at: z.iso.datetime().nullable().describe(
    "Accurate to about a minute",
  ),
  revoked_at: z.iso.datetime().nullable(),
}).openapi("Key", { examples: [examples.keyExample] });

/** Response of `POST /v1/keys`. */
export const newKeySchema = keySchema.extend({
  key: z.string().describe("The key itself; no other response contains it"),
}).openapi("NewKey", { examples: [examples.newKeyExample] });

/** Response of `GET /v1/keys`. */
export const keyListSchema = z.object({
  items: z.array(keySchema),
  next_cursor: z.string().nullable(),
}).openapi("KeyList", {
  examples: [{ items: [examples.keyExample], next_cursor: null }],
});

/** The caller of a request. */
export const callerSchema = z.object({
  id: z.string().describe("Owner of the sessions that the caller creates"),
  name: z.string().describe("Prefix of its key, or anonymous or bootstrap"),
  role: roleSchema,
  work_pool_id: z.string().nullable().describe(
    "The only work pool that it may use",
  ),
  key_required: z.boolean().describe("True if requests need a key"),
  signed_in: z.boolean().describe("True for the cookie of a sign-in"),
  expires_at: z.iso.datetime().nullable().describe("End of the sign-in"),
}).openapi("Caller", { examples: [examples.callerExample] });

/** Body of `POST /v1/auth/sign-in`. */
export const signInSchema = z.strictObject({
  key: z.string().min(1).max(1_000).describe("Key of an admin or client"),
}).openapi("SignIn", { examples: [examples.signInExample] });

/** Body of `POST /v1/auth/sign-out`. */
export const signOutSchema = z.strictObject({
  everywhere: z.boolean().default(() => false).describe(
    "End all sign-ins of the same key, not only this one",
  ),
}).openapi("SignOut", { examples: [{ everywhere: true }] });

/** Types of the schemas in this file, from which the types below derive. */
export type KeySchemas = typeof import("./schemas.ts");

/** Body of `POST /v1/keys`, with defaults applied. */
export type KeyInput = SchemaOutput<KeySchemas["keyInputSchema"]>;

/** A key in a response. */
export type KeyWire = SchemaOutput<KeySchemas["keySchema"]>;

/** A created key in a response, with the key itself. */
export type NewKeyWire = SchemaOutput<KeySchemas["newKeySchema"]>;

/** The caller of a request in a response. */
export type CallerWire = SchemaOutput<KeySchemas["callerSchema"]>;

/** Status of a key. */
export type KeyStatus = (typeof KEY_STATUSES)[number];
