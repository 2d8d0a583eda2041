import type { SchemaOutput } from "../../core/schema.ts";
import { z } from "@hono/zod-openapi";
import { environmentInputSchema } from "../../core/environment.ts";
import { pickPart } from "../../http/declared_fields.ts";
import * as examples from "./examples.ts";
import { poolFields } from "./schemas/pool_fields.ts";
import { POOL_STATUSES } from "./status.ts";

type Fields = typeof poolFields;

/** The schemas of a new pool: a field with a default may be absent. */
type InputShape = {
  readonly [K in keyof Fields]: Fields[K] extends { readonly default: unknown }
    ? z.ZodDefault<Fields[K]["schema"]>
    : Fields[K]["schema"];
};

function createInputShape(): InputShape {
  const defaults = new Map<string, unknown>(
    Object.entries(pickPart(poolFields, "default")),
  );
  const entries: readonly (readonly unknown[])[] = Object.entries(poolFields)
    .map(([name, { schema }]) => [
      name,
      defaults.has(name) ? addDefault(schema, defaults.get(name)) : schema,
    ]);
  return Object.fromEntries(entries);
}

/** Returns the schema with a default and the same description, which a default alone would lose. */
function addDefault(schema: z.ZodType, value: unknown): z.ZodType {
  const { description } = schema;
  const optional = schema.default(value);
  return description === undefined ? optional : optional.describe(description);
}

const fieldShape = pickPart(poolFields, "schema");
const inputShape = createInputShape();

/** Changes to a pool. */
export const poolPatchSchema = z.strictObject(fieldShape).partial();

/** Body of POST. Absent members take their defaults. */
export const poolInputSchema = z.strictObject(inputShape).openapi(
  "WorkPoolInput",
  {
    description: "Absent members take their defaults",
    examples: [examples.poolInputExample],
  },
);

/** A pool in responses, without the proxy's password, the provider's secrets and the values of the environment. */
export const poolSchema = z.object({
  ...fieldShape,
  ...pickPart(poolFields, "wire"),
  provider_secrets: z.array(z.string()).describe(
    "Names of the secret options of the provider that are set. Responses do not contain their values",
  ),
  id: z.uuid(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
}).openapi("WorkPool", {
  description:
    "A work pool: a provider, limits, and defaults that sessions inherit. It never contains the proxy's password, the provider's secrets or the values of the environment",
  examples: [examples.poolExample],
});

const readOnlySchema = z.string().max(100).optional().openapi({
  readOnly: true,
  description: "The value that GET returned, or absent",
});

/** Members of a response to GET that PUT and PATCH accept unchanged. */
const readOnlyShape = {
  id: readOnlySchema,
  created_at: readOnlySchema,
  updated_at: readOnlySchema,
  provider_secrets: z.array(z.string()).max(100).optional().openapi({
    readOnly: true,
    description:
      "The names that GET returned, or absent; their values do not change unless provider_config has new ones",
  }),
  default_environment: z.union([
    environmentInputSchema,
    z.array(z.string()).describe(
      "The names that GET returned; their values do not change",
    ),
  ]).nullable(),
};

/** Body of PUT: the body of POST, or a response of GET with changes. */
export const poolReplacementSchema = z.strictObject({
  ...inputShape,
  ...readOnlyShape,
  default_environment: readOnlyShape.default_environment.default(null),
}).openapi("WorkPoolReplacement", {
  description:
    "Absent members take their defaults. A response of GET is accepted: secrets that it does not contain are kept, a password only if proxy_url and proxy_username are unchanged",
  examples: [examples.poolInputExample],
});

/** Body of PATCH. Only the members in it change. */
export const poolChangeSchema = z.strictObject({
  ...fieldShape,
  ...readOnlyShape,
}).partial().openapi("WorkPoolPatch", {
  description: "Changes the members in the body",
  examples: [examples.poolPatchExample],
});

/** Response of `POST /v1/workerpool/pools`. */
export const newPoolSchema = poolSchema.extend({
  warnings: z.array(z.string()).describe(
    "Reasons why no session of the pool can start, each a sentence",
  ),
}).openapi("NewWorkPool", {
  examples: [{ ...examples.poolExample, warnings: [] }],
});

/** The machines on which the workers of a pool run. */
const machinesSchema = z.object({
  requested: z.int().describe("Not accepted by the infrastructure yet"),
  starting: z.int().describe("Accepted; their workers have not registered"),
  running: z.int(),
  draining: z.int().describe("Their workers take no more sessions"),
  removing: z.int(),
  last_failure: z.object({
    reason: z.string().describe("Reason, as the infrastructure reports it"),
    at: z.iso.datetime(),
  }).nullable().describe("Last failure of a machine; only admins see it"),
});

/** The load of a pool. */
export const pressureSchema = z.object({
  work_pool_id: z.uuid(),
  status: z.enum(POOL_STATUSES),
  pending: z.int().describe("Sessions that wait, at most 100000"),
  starting: z.int(),
  running: z.int(),
  max_sessions: z.int().nullable(),
  max_queue: z.int().nullable(),
  workers_online: z.int(),
  capacity: z.int().describe("Sessions that the online workers may hold"),
  oldest_pending_seconds: z.number().nullable(),
  ready: z.int().describe("Browsers that are kept ready now"),
  min_ready: z.int().describe("Browsers that should be kept ready"),
  wanted_workers: z.int().describe(
    "Workers that its sessions, its queue and min_ready need, from min_workers to max_workers (without one, 100); for autoscalers",
  ),
  machines: machinesSchema.nullable().describe(
    "Machines by status; null if the server starts none for the pool",
  ),
}).openapi("WorkPoolPressure", {
  description: "The load of a work pool",
  examples: [examples.pressureExample],
});

/** Response of `GET /v1/workerpool/pools`. */
export const poolListSchema = z.object({
  items: z.array(poolSchema),
  next_cursor: z.string().nullable(),
}).openapi("WorkPoolList", {
  examples: [{ items: [examples.poolExample], next_cursor: null }],
});

/** Types of the schemas in this file, from which the types below derive. */
export type PoolSchemas = typeof import("./schemas.ts");

/** Body of POST, with defaults applied. */
export type PoolInput = SchemaOutput<PoolSchemas["poolInputSchema"]>;

/** Body of PUT, with defaults applied. */
export type PoolReplacement = SchemaOutput<
  PoolSchemas["poolReplacementSchema"]
>;

/** Body of PATCH, which may repeat read-only members. */
export type PoolChange = SchemaOutput<PoolSchemas["poolChangeSchema"]>;

/** Changes to a pool, without read-only members. */
export type PoolPatch = SchemaOutput<PoolSchemas["poolPatchSchema"]>;

/** A pool in a response. */
export type PoolWire = SchemaOutput<PoolSchemas["poolSchema"]>;

/** A created pool in a response, with warnings. */
export type NewPoolWire = SchemaOutput<PoolSchemas["newPoolSchema"]>;

/** The load of a pool in a response. */
export type Pressure = SchemaOutput<PoolSchemas["pressureSchema"]>;
