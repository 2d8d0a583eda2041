/**
 * Schemas of the endpoints that only workers call.
 *
 * @module
 */
import type { SchemaInput, SchemaOutput } from "../../../core/schema.ts";
import { z } from "@hono/zod-openapi";
import {
  claimedSessionSchema,
  reportResultSchema,
  sessionReportSchema,
  stopCommandSchema,
} from "../../sessions/schemas/leases.ts";
import { observationSchema } from "../../sessions/schemas/observations.ts";
import * as examples from "../examples.ts";
import { providerDetailsSchema } from "../schemas.ts";
import { WORKER_STATUSES } from "../status.ts";

/** Body of PUT `/heartbeat`: all reports of the worker in one request. */
export const heartbeatInputSchema = z.strictObject({
  status: z.enum(["online", "busy", "draining", "failed", "offline"])
    .optional().describe("offline: the worker leaves"),
  current_load: z.int().min(0).optional(),
  ready: z.int().min(0).optional().describe(
    "Number of browsers that the worker keeps ready",
  ),
  cpu_percent: z.number().min(0).nullable().optional(),
  memory_usage_mb: z.number().min(0).nullable().optional(),
  disk_usage_mb: z.number().min(0).nullable().optional(),
  metrics: z.strictObject({
    cpu_percent: z.number().min(0).nullable(),
    memory_usage_mb: z.number().min(0).nullable(),
    disk_usage_mb: z.number().min(0).nullable(),
  }).optional().describe(
    "Measurement of the worker's host since the one before, to be stored",
  ),
  provider_details: providerDetailsSchema.optional(),
  sessions: z.array(sessionReportSchema).max(10_000).refine(
    (reports) =>
      new Set(reports.map(({ session_id }) => session_id)).size ===
        reports.length,
    "expected one report a session, the latest",
  ).default([]).describe("The latest report of each session"),
}).openapi("HeartbeatInput", {
  description: "All reports of the worker in one request",
  examples: [examples.heartbeatInputExample],
});

/** A command to a worker. */
export const commandSchema = z.discriminatedUnion("type", [
  stopCommandSchema,
  z.object({
    type: z.literal("drain"),
    timeout_ms: z.int().describe(
      "Time that the worker's sessions have to end",
    ),
  }),
]).openapi("Command");

/** The browsers that a worker must keep ready. Only this and the response to a claim contain secrets. */
export const readyBrowsersSchema = claimedSessionSchema.pick({
  browser: true,
  version: true,
  headless: true,
  screen: true,
  proxy: true,
  resource_limits: true,
  environment: true,
  arguments: true,
  isolated: true,
  egress: true,
}).extend({
  count: z.int().min(1).describe("Number of browsers"),
  max_age_ms: z.int().min(1).describe("Age at which a browser is replaced"),
}).openapi("ReadyBrowsers", {
  description:
    "The browsers that a worker keeps started and unused, for sessions that request the pool's defaults. Contains the secrets of these defaults",
  examples: [examples.readyBrowsersExample],
});

/** Response of a heartbeat. */
export const heartbeatResponseSchema = z.object({
  status: z.enum(WORKER_STATUSES),
  lease_ttl_ms: z.int(),
  reports: z.array(reportResultSchema),
  commands: z.array(commandSchema).describe(
    "Repeated until the worker obeys them. Without a drain command, an earlier drain is cancelled",
  ),
  ready: readyBrowsersSchema.optional().describe(
    "The worker's share of its pool's min_ready; absent if it keeps no browser ready",
  ),
  observed: z.array(z.object({
    session_id: z.uuid(),
    observations: z.array(observationSchema),
  })).optional().describe(
    "Browser events that webhooks receive from the reported sessions. A session that is not listed has none",
  ),
  followed: z.array(z.object({
    session_id: z.uuid(),
    fencing_token: z.int(),
  })).optional().describe(
    "Sessions whose output clients follow: the worker sends it to POST /v1/sessions/{id}/logs. Nothing follows a session that is not listed",
  ),
}).openapi("HeartbeatResponse", {
  examples: [examples.heartbeatResponseExample],
});

/** Body of `claim-session`; may be left out. */
export const claimInputSchema = z.strictObject({
  request_id: z.string().min(1).max(100).optional().describe(
    "A repeated request with the same id gets the same sessions",
  ),
  count: z.int().min(1).max(100).default(1).describe(
    "Maximum number of sessions to claim at once",
  ),
  obeying: z.array(z.uuid()).max(10_000).default([]).describe(
    "Sessions that the worker is ending already; the response contains no commands for them",
  ),
  room: z.int().min(0).optional().describe(
    "Number of sessions that the worker could hold in addition; with 0 it waits for commands only",
  ),
}).openapi("ClaimInput", { examples: [examples.claimInputExample] });

/** Response of `claim-session`. Without sessions, the worker obeys its commands. */
export const claimResponseSchema = z.object({
  sessions: z.array(claimedSessionSchema),
  waited_ms: z.number().describe(
    "Time that the server waited before it assigned the sessions, whose leases began then",
  ),
  commands: z.array(commandSchema),
}).openapi("ClaimResponse", { examples: [examples.claimResponseExample] });

/** Types of the schemas in this file, from which the types below derive. */
export type WorkerServiceSchemas = typeof import("./service.ts");

/** Body of a heartbeat. */
export type HeartbeatInput = SchemaInput<
  WorkerServiceSchemas["heartbeatInputSchema"]
>;

/** Body of a heartbeat, with defaults applied. */
export type HeartbeatBody = SchemaOutput<
  WorkerServiceSchemas["heartbeatInputSchema"]
>;

/** The browsers that a worker must keep ready. */
export type ReadyBrowsers = SchemaOutput<
  WorkerServiceSchemas["readyBrowsersSchema"]
>;

/** Response of a heartbeat. */
export type HeartbeatResponse = SchemaOutput<
  WorkerServiceSchemas["heartbeatResponseSchema"]
>;

/** A command to a worker. */
export type WorkerCommand = SchemaOutput<WorkerServiceSchemas["commandSchema"]>;

/** Body of a claim. */
export type ClaimInput = SchemaInput<WorkerServiceSchemas["claimInputSchema"]>;

/** Response of a claim. */
export type ClaimResponse = SchemaOutput<
  WorkerServiceSchemas["claimResponseSchema"]
>;
