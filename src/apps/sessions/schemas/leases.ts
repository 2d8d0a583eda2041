import type { SchemaOutput } from "../../../core/schema.ts";
import { z } from "@hono/zod-openapi";
import {
  argumentsSchema,
  browserSchema,
  operatingSystemSchema,
  proxySchema,
  resourceLimitsSchema,
  screenSchema,
} from "../../../core/browser_spec.ts";
import { environmentSchema } from "../../../core/environment.ts";
import { egressPolicySchema } from "../../../core/egress.ts";
import * as examples from "../examples.ts";
import { sessionMetricValuesSchema } from "./history.ts";
import { observationSchema } from "./observations.ts";

/** A claimed session in the response to its worker. No other response contains the session's secrets. */
export const claimedSessionSchema = z.object({
  id: z.uuid(),
  fencing_token: z.int(),
  /** Duration from the time when the worker *sent* the claim. */
  lease_ttl_ms: z.int(),
  start_timeout_ms: z.int(),
  work_pool_id: z.uuid(),
  provider_type: z.string(),
  provider_config: z.record(z.string(), z.unknown()).describe(
    "Empty; workers receive the configuration of their provider when they register",
  ),
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
  traceparent: z.string().optional().describe(
    "Trace of the session, under whose span the worker adds its own",
  ),
  observations: z.array(observationSchema).optional().describe(
    "Browser events that webhooks receive; absent if there are none",
  ),
}).openapi("ClaimedSession", {
  description:
    "A claimed session. No other response contains the session's secrets",
  examples: [examples.claimedSessionExample],
});

/** The report of one session in a worker's heartbeat. A report of an end is repeated until it is answered. */
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
    "Current status; released: the session was not started, and may be queued again",
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
  warm: z.boolean().optional().describe("The session received a warm browser"),
  /** Progress of a slow start, for the events. */
  progress: z.array(z.string().max(500)).max(50).optional(),
  metrics: sessionMetricValuesSchema.optional(),
  logs: z.string().max(32_768).optional().describe(
    "Last output of the browser",
  ),
}).openapi("SessionReport", {
  description: "A worker's report of one session that it holds",
  examples: [examples.sessionReportExample],
});

/** The result of a report. `lease_lost`: the worker must end that browser. */
export const reportResultSchema = z.object({
  session_id: z.uuid(),
  result: z.enum(["accepted", "lease_lost"]),
  /** Remaining lifetime of a held session. A duration, because clocks may differ. */
  expires_in_ms: z.int().optional(),
}).openapi("SessionReportResult", {
  description:
    "The result of a report. `lease_lost`: the worker must end that browser",
  examples: [examples.reportResultExample],
});

/** A command to a worker to stop one session, repeated until a report shows the end. */
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
    "A command to stop one session, repeated until a report shows the end",
  examples: [examples.stopCommandExample],
});

/** Types of the schemas in this file, from which the types below derive. */
export type SessionLeaseSchemas = typeof import("./leases.ts");

/** A claimed session, with its secrets. */
export type ClaimedSession = SchemaOutput<
  SessionLeaseSchemas["claimedSessionSchema"]
>;

/** A worker's report of a session. */
export type SessionReport = SchemaOutput<
  SessionLeaseSchemas["sessionReportSchema"]
>;

/** The outcome of a report. */
export type ReportResult = SchemaOutput<
  SessionLeaseSchemas["reportResultSchema"]
>;

/** A command to end a session. */
export type StopCommand = SchemaOutput<
  SessionLeaseSchemas["stopCommandSchema"]
>;
