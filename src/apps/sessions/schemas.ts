import { z } from "@hono/zod-openapi";
import {
  argumentsSchema,
  browserSchema,
  egressPolicySchema,
  environmentSchema,
  operatingSystemSchema,
  proxySchema,
  resourceLimitsSchema,
  screenSchema,
  sessionEnvironmentSchema,
  versionSchema,
} from "../../core/browser_spec.ts";
import { jsonObjectSchema, textSchema } from "../../core/stored_text.ts";
import * as examples from "./examples.ts";
import { SESSION_EVENTS, SESSION_STATUSES } from "./status.ts";

const LABEL_NAME = /^[^=]+$/;

const LABEL_NAMES = {
  propertyNames: { minLength: 1, maxLength: 63, pattern: LABEL_NAME.source },
};

const labelsSchema = z.record(
  textSchema().min(1).max(63).regex(
    LABEL_NAME,
    'expected a name without "=", so that ?label=NAME=VALUE finds it',
  ),
  textSchema().max(256),
).refine((labels) => Object.keys(labels).length <= 64, "expected at most 64")
  .openapi({
    description:
      "Names and values of your own, by which sessions can be listed",
    maxProperties: 64,
    ...LABEL_NAMES,
  });

/** Body of `POST /v1/sessions`. What is not given comes from the pool, then from the defaults of the grid. */
export const sessionInputSchema = z.strictObject({
  browser: browserSchema.optional(),
  version: versionSchema.optional(),
  headless: z.boolean().optional().describe(
    "Whether the browser runs without a window",
  ),
  operating_system: operatingSystemSchema.optional(),
  screen: screenSchema.optional(),
  proxy: proxySchema.optional(),
  resource_limits: resourceLimitsSchema.optional(),
  environment: sessionEnvironmentSchema.optional(),
  arguments: argumentsSchema.optional(),
  work_pool_id: textSchema().min(1).optional().describe(
    "Id or name of a work pool; without it the best match is taken",
  ),
  priority: z.int().min(-1_000).max(1_000).optional().describe(
    "Of those that wait, the highest is started first",
  ),
  idle_timeout_seconds: z.number().min(1).max(7 * 86_400).optional().describe(
    "How long it may go without traffic of a client before it is timed_out",
  ),
  queue_timeout_seconds: z.number().min(1).max(86_400).optional().describe(
    "How long it may wait for a worker before it fails; by default the grid's setting of this name",
  ),
  max_connections: z.int().min(1).max(1_000).optional().describe(
    "How many clients may be connected at once; 1 if it is not said",
  ),
  labels: labelsSchema.optional(),
  webhooks_enabled: z.boolean().optional().describe(
    "Whether webhooks are told of this session",
  ),
}).openapi("SessionInput", {
  description:
    "What the browser must be like. What is not said comes from the pool, then from the grid's defaults",
  examples: [examples.sessionInputExample],
});

/** Body of `refresh`; may be left out. */
export const refreshInputSchema = z.strictObject({
  timeout_minutes: z.number().gt(0).max(7 * 24 * 60).optional().describe(
    "How long it may live from now; by default as long as it was given at first",
  ),
}).openapi("RefreshInput", { examples: [{ timeout_minutes: 30 }] });

/** A session as it is answered. The proxy's password and the environment's values are never in it. */
export const sessionSchema = z.object({
  id: z.uuid(),
  owner: z.string().describe(
    "Id of the key that asked for it; bootstrap or anonymous",
  ),
  browser: browserSchema,
  version: z.string(),
  headless: z.boolean(),
  operating_system: operatingSystemSchema,
  screen: screenSchema,
  proxy: z.object({
    proxy_url: z.string(),
    proxy_username: z.string().optional(),
  }).nullable(),
  resource_limits: resourceLimitsSchema,
  environment: z.array(z.string()).describe(
    "Names of the variables; values are not shown",
  ),
  arguments: z.array(z.string()).describe("Further arguments of the browser"),
  work_pool_id: z.uuid(),
  provider: z.string(),
  priority: z.int(),
  idle_timeout_seconds: z.number().nullable(),
  max_connections: z.int().describe("How many clients may be connected"),
  keep_alive_seconds: z.number().nullable().describe(
    "How long it waits for its client to come back; only of one made by connecting",
  ),
  labels: z.record(z.string(), z.string()),
  webhooks_enabled: z.boolean(),
  status: z.enum(SESSION_STATUSES),
  status_reason: z.string().nullable().describe(
    "Reason for the status. For a pending session, why it waits; a request for a single session adds its place in the queue",
  ),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  ended_at: z.iso.datetime().nullable(),
  expires_at: z.iso.datetime(),
  idle_since: z.iso.datetime().nullable().describe(
    "Since when nobody has used it; null: it is in use, or does not run",
  ),
  worker_id: z.uuid().nullable(),
  container_id: z.string().nullable(),
  details: z.record(z.string(), z.string()).describe(
    "What the provider tells of the browser: process id, image, version",
  ),
  reach: z.enum(["direct", "tunnel"]).nullable().describe(
    "How the server reaches the browser: by its address, or through its worker's tunnel; null: not known yet",
  ),
  warm: z.boolean().describe("Whether its browser had been kept ready for it"),
  connect_url: z.string().describe(
    "WebSocket address for Playwright, Puppeteer or any CDP client",
  ),
  live_url: z.string().nullable(),
}).openapi("Session", {
  description:
    "A session. The proxy's password and the environment's values are never in it",
  examples: [examples.sessionExample],
});

export const sessionEventSchema = z.object({
  seq: z.int(),
  session_id: z.uuid(),
  event: z.enum(SESSION_EVENTS),
  data: z.record(z.string(), z.unknown()),
  timestamp: z.iso.datetime(),
}).openapi("SessionEvent", {
  description: "One thing that happened to a session",
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
  description: "What a session's browser used at one time",
  examples: [examples.sessionMetricExample],
});

/** Body of `POST /v1/sessions/{id}/metrics`, by the worker that holds the session. */
export const sessionMetricInputSchema = z.strictObject({
  ...metricFields,
  fencing_token: z.int().min(1),
}).openapi("SessionMetricInput", {
  examples: [examples.sessionMetricInputExample],
});

/** Answer of `GET /v1/sessions/{id}`: `include=events,metrics` adds the last of each. */
export const sessionDetailSchema = sessionSchema.extend({
  events: z.array(sessionEventSchema).optional(),
  metrics: z.array(sessionMetricSchema).optional(),
}).openapi("SessionDetail", {
  description: "A session; with `include`, also the last of what it did",
  examples: [examples.sessionExample],
});

/** Answer of `GET /v1/sessions`, newest first. */
export const sessionListSchema = z.object({
  items: z.array(sessionSchema),
  next_cursor: z.string().nullable(),
}).openapi("SessionList", {
  examples: [{ items: [examples.sessionExample], next_cursor: null }],
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

/** What a worker is given with a claim: the only answer that has the session's secrets. */
export const claimedSessionSchema = z.object({
  id: z.uuid(),
  fencing_token: z.int(),
  /** From the moment the claim was *sent*. */
  lease_ttl_ms: z.int(),
  start_timeout_ms: z.int(),
  work_pool_id: z.uuid(),
  provider_type: z.string(),
  provider_config: z.record(z.string(), z.unknown()),
  browser: browserSchema,
  version: z.string(),
  headless: z.boolean(),
  operating_system: operatingSystemSchema,
  screen: screenSchema,
  proxy: proxySchema.nullable(),
  resource_limits: resourceLimitsSchema,
  environment: environmentSchema,
  arguments: argumentsSchema,
  isolated: z.boolean().describe(
    "The session belongs to a client key: its browser must not reach the host, the grid or other sessions",
  ),
  egress: egressPolicySchema,
}).openapi("ClaimedSession", {
  description:
    "What a worker is given with a claim: the only answer that has the session's secrets",
  examples: [examples.claimedSessionExample],
});

/** One session in a worker's heartbeat. Reports of the past are repeated until they are answered. */
export const sessionReportSchema = z.strictObject({
  session_id: z.uuid(),
  fencing_token: z.int().min(1),
  status: z.enum([
    "starting",
    "running",
    "completed",
    "failed",
    "crashed",
    "expired",
    "timed_out",
    "terminated",
    "released",
  ]).describe(
    "What the session is now; released: it was not started, and may be queued again",
  ),
  status_reason: z.string().max(8_000).optional(),
  /** Required with `running`. */
  endpoint: z.string().max(500).regex(
    /^wss?:\/\/[^/?#@\\]+\/devtools\/browser\/[A-Za-z0-9-]{1,128}$/,
    "expected ws://HOST:PORT/devtools/browser/ID",
    // The schema has already rejected a longer endpoint, and parsing it takes time.
  ).refine((url) => url.length > 500 || URL.canParse(url), "expected a URL")
    .optional().describe(
      "The browser's own address. The server connects to it only if it is the worker's address or in the setting worker_networks; otherwise it uses the worker's tunnel",
    ),
  container_id: z.string().max(256).optional(),
  details: z.record(z.string(), z.string()).optional(),
  warm: z.boolean().optional().describe("Its browser had been kept ready"),
  /** What a slow start is doing, for the events. */
  progress: z.array(z.string().max(500)).max(50).optional(),
  metrics: sessionMetricValuesSchema.optional(),
  logs: z.string().max(32_768).optional().describe("Last output"),
}).openapi("SessionReport", {
  description: "What a worker says of one session that it holds",
  examples: [examples.sessionReportExample],
});

/** What became of a report. `lease_lost`: end that browser. */
export const reportResultSchema = z.object({
  session_id: z.uuid(),
  result: z.enum(["accepted", "lease_lost"]),
  /** How much longer a held session may live: a duration, for clocks may differ. */
  expires_in_ms: z.int().optional(),
}).openapi("SessionReportResult", {
  description: "What became of a report. `lease_lost`: end that browser",
  examples: [examples.reportResultExample],
});

/** An order to a worker about one session, repeated until a report shows it done. */
export const stopCommandSchema = z.object({
  type: z.literal("stop"),
  session_id: z.uuid(),
  fencing_token: z.int(),
  /** The terminal status to report. */
  status: z.enum(["completed", "terminated", "expired", "timed_out"]),
  reason: z.string(),
  force: z.boolean(),
}).openapi("StopCommand", {
  description:
    "An order to end one session, repeated until a report shows it done",
  examples: [examples.stopCommandExample],
});

export type SessionInput = z.infer<typeof sessionInputSchema>;
export type SessionWire = z.infer<typeof sessionSchema>;
export type SessionDetailWire = z.infer<typeof sessionDetailSchema>;
export type SessionEventWire = z.infer<typeof sessionEventSchema>;
export type ClaimedSession = z.infer<typeof claimedSessionSchema>;
export type SessionReport = z.infer<typeof sessionReportSchema>;
export type ReportResult = z.infer<typeof reportResultSchema>;
export type StopCommand = z.infer<typeof stopCommandSchema>;
export type SessionMetricWire = z.infer<typeof sessionMetricSchema>;
export type SessionMetricValues = z.infer<typeof sessionMetricValuesSchema>;
