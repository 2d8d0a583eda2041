import { z } from "@hono/zod-openapi";
import {
  browserSchema,
  egressRuleSchema,
  environmentInputSchema,
  operatingSystemSchema,
  proxySchema,
  resourceLimitsSchema,
  screenSchema,
  versionSchema,
} from "../../core/browser_spec.ts";
import { storableObjectSchema, textSchema } from "../../core/stored_text.ts";
import { findForbiddenReason, FORBIDDEN_PATTERN } from "./allowed_arguments.ts";
import * as examples from "./examples.ts";
import { POOL_EGRESS, POOL_STATUSES } from "./status.ts";

const MAX_QUEUE =
  "How many sessions may wait, besides those that its workers could start at once; one more is refused (429, queue_full). 0: only what a worker has room for is taken. Without it, any number. A session that is queued again, because its worker was lost, is never refused";

const ALLOWED_ARGUMENTS =
  "Arguments that sessions may give their browsers: names such as --accept-lang, or beginnings with a star such as --force-*, which leaves out what weakens the browser's protection and must be named in full. null: a list of harmless ones, such as --accept-lang and --user-agent. []: none. What breaks the grid or starts programs, such as --remote-debugging-port, can never be allowed";

const EGRESS =
  "Networks that the pool's browsers may reach. open: everything that their host reaches. no_private: the internet, but no loopback, private, link-local, metadata or multicast address. none: nothing. auto: no_private for sessions of client keys, open for all others";

const EGRESS_ALLOW =
  "Networks and hosts that sessions may reach regardless of egress: 10.1.0.0/16, fd00::1, intranet.example.test, *.example.test, each with or without :port";

/** A name, or a beginning and a star, that some session's argument may have. */
const allowedArgumentSchema = z.string().regex(
  /^--[a-zA-Z0-9][a-zA-Z0-9-]*\*?$/,
  "expected the name of an argument such as --lang, or its beginning and a star",
).max(100).superRefine((entry, context) => {
  const why = findForbiddenReason(entry.replace("*", ""));
  if (why === undefined) return;
  context.addIssue(
    `"${entry}" can never be allowed: ${why}, expected other arguments`,
  );
}).openapi({ not: { pattern: FORBIDDEN_PATTERN } });

const nameSchema = textSchema().trim().min(1).max(100);

/** What people write of a pool, without defaults: the body of PATCH. */
const poolFields = {
  name: nameSchema,
  description: textSchema().max(2_000),
  provider_type: textSchema().min(1).describe(
    "Name of the provider that starts the browsers",
  ),
  provider_config: storableObjectSchema().describe(
    "Options of the provider, checked against its own schema",
  ),
  status: z.enum(POOL_STATUSES),
  priority: z.int().min(-1_000).max(1_000),
  default_browser: browserSchema.nullable(),
  default_browser_version: versionSchema.nullable(),
  default_headless: z.boolean().nullable(),
  default_operating_system: operatingSystemSchema.nullable(),
  default_screen: screenSchema.nullable(),
  default_proxy: proxySchema.nullable(),
  default_resource_limits: resourceLimitsSchema.nullable(),
  default_environment: environmentInputSchema.nullable(),
  max_sessions: z.int().min(1).nullable(),
  min_workers: z.int().min(0),
  max_workers: z.int().min(1).nullable(),
  max_sessions_per_worker: z.int().min(1).nullable(),
  min_ready: z.int().min(0).max(1_000).describe(
    "Browsers that the pool's workers keep started and unused, for sessions that ask for the pool's defaults",
  ),
  ready_max_age_minutes: z.number().gt(0).max(7 * 24 * 60).describe(
    "Age at which a browser that is kept ready is replaced",
  ),
  allowed_arguments: z.array(allowedArgumentSchema).max(200).nullable()
    .describe(ALLOWED_ARGUMENTS),
  egress: z.enum(POOL_EGRESS).describe(EGRESS),
  egress_allow: z.array(egressRuleSchema).max(100).describe(EGRESS_ALLOW),
  max_queue: z.int().min(0).nullable().describe(MAX_QUEUE),
  max_timeout_minutes: z.number().gt(0).nullable(),
};

/** Changes to a pool. */
export const poolPatchSchema = z.strictObject(poolFields).partial();

/** Body of POST. Absent members take their defaults. */
export const poolInputSchema = z.strictObject({
  ...poolFields,
  description: poolFields.description.default(""),
  provider_config: poolFields.provider_config.default({}),
  status: poolFields.status.default("active"),
  priority: poolFields.priority.default(0),
  default_browser: poolFields.default_browser.default(null),
  default_browser_version: poolFields.default_browser_version.default(null),
  default_headless: poolFields.default_headless.default(null),
  default_operating_system: poolFields.default_operating_system.default(null),
  default_screen: poolFields.default_screen.default(null),
  default_proxy: poolFields.default_proxy.default(null),
  default_resource_limits: poolFields.default_resource_limits.default(null),
  default_environment: poolFields.default_environment.default(null),
  max_sessions: poolFields.max_sessions.default(null),
  min_workers: poolFields.min_workers.default(0),
  max_workers: poolFields.max_workers.default(null),
  max_sessions_per_worker: poolFields.max_sessions_per_worker.default(null),
  min_ready: poolFields.min_ready.default(0).describe(
    "Browsers that the pool's workers keep started and unused, for sessions that ask for the pool's defaults",
  ),
  ready_max_age_minutes: poolFields.ready_max_age_minutes.default(60).describe(
    "Age at which a browser that is kept ready is replaced",
  ),
  allowed_arguments: poolFields.allowed_arguments.default(null).describe(
    ALLOWED_ARGUMENTS,
  ),
  egress: poolFields.egress.default("auto").describe(EGRESS),
  egress_allow: poolFields.egress_allow.default([]).describe(EGRESS_ALLOW),
  max_queue: poolFields.max_queue.default(null).describe(MAX_QUEUE),
  max_timeout_minutes: poolFields.max_timeout_minutes.default(null),
}).openapi("WorkPoolInput", {
  description: "What is not given takes its default",
  examples: [examples.poolInputExample],
});

/** A pool as it is answered: the proxy's password and the environment's values are left out. */
export const poolSchema = z.object({
  ...poolFields,
  id: z.uuid(),
  default_proxy: z.object({
    proxy_url: z.string(),
    proxy_username: z.string().optional(),
  }).nullable(),
  /** Names only. */
  default_environment: z.array(z.string()).nullable().describe(
    "Names of the variables; values are not shown",
  ),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
}).openapi("WorkPool", {
  description:
    "A work pool: how browsers are run, and what sessions inherit. The proxy's password and the environment's values are never in it",
  examples: [examples.poolExample],
});

const asGiven = z.string().max(100).optional().openapi({
  readOnly: true,
  description: "The value that GET returned, or absent",
});

/** Read-only members that GET returns. PUT and PATCH accept them unchanged. */
const readBack = {
  id: asGiven,
  created_at: asGiven,
  updated_at: asGiven,
  default_environment: z.union([
    environmentInputSchema,
    z.array(z.string()).describe(
      "The names that GET returned; their values do not change",
    ),
  ]).nullable(),
};

/** Body of PUT: the body of POST, or a response of GET with changes. */
export const poolReplacementSchema = z.strictObject({
  ...poolInputSchema.shape,
  ...readBack,
  default_environment: readBack.default_environment.default(null),
}).openapi("WorkPoolReplacement", {
  description:
    "Absent members take their defaults. A response of GET is accepted: secrets that it does not show are kept, a password if proxy_url and proxy_username are the same",
  examples: [examples.poolInputExample],
});

/** Body of PATCH. Only the members in it change. */
export const poolChangeSchema = z.strictObject({ ...poolFields, ...readBack })
  .partial().openapi("WorkPoolPatch", {
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

/** How loaded a pool is. */
export const pressureSchema = z.object({
  work_pool_id: z.uuid(),
  status: z.enum(POOL_STATUSES),
  pending: z.int(),
  starting: z.int(),
  running: z.int(),
  max_sessions: z.int().nullable(),
  max_queue: z.int().nullable(),
  workers_online: z.int(),
  capacity: z.int(),
  oldest_pending_seconds: z.number().nullable(),
  ready: z.int().describe("Browsers that are kept ready now"),
  min_ready: z.int().describe("Browsers that are to be kept ready"),
}).openapi("WorkPoolPressure", {
  description: "How loaded a pool is",
  examples: [examples.pressureExample],
});

/** Answer of `GET /v1/workerpool/pools`. */
export const poolListSchema = z.object({
  items: z.array(poolSchema),
  next_cursor: z.string().nullable(),
}).openapi("WorkPoolList", {
  examples: [{ items: [examples.poolExample], next_cursor: null }],
});

export type PoolInput = z.infer<typeof poolInputSchema>;
export type PoolReplacement = z.infer<typeof poolReplacementSchema>;
export type PoolChange = z.infer<typeof poolChangeSchema>;
export type PoolPatch = z.infer<typeof poolPatchSchema>;
export type PoolWire = z.infer<typeof poolSchema>;
export type NewPoolWire = z.infer<typeof newPoolSchema>;
export type Pressure = z.infer<typeof pressureSchema>;
