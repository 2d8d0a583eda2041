import { z } from "@hono/zod-openapi";
import {
  claimedSessionSchema,
  reportResultSchema,
  sessionReportSchema,
  stopCommandSchema,
} from "../sessions/schemas.ts";
import { textSchema } from "../../core/text.ts";
import * as examples from "./examples.ts";
import { WORKER_STATUSES } from "./status.ts";

/** What may stand in a worker's name: it becomes part of container labels and folders. */
const workerNameSchema = z.string().regex(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
  "expected 1 to 100 letters, digits, dots, dashes and underscores",
);

const reachSchema = z.enum(["auto", "direct", "tunnel"]).describe(
  "How the server reaches its browsers: by their address, through the worker's tunnel, or by the one that works",
);

/**
 * Body of `POST /v1/workerpool/workers`.
 *
 * The same name in the same pool with the same `secret` is the same worker: its row is brought up to date and returned.
 */
export const workerInputSchema = z.strictObject({
  id: z.uuid().optional().describe("Id of an existing worker to come back as"),
  name: workerNameSchema.optional(),
  work_pool_id: textSchema().min(1).describe("Id or name of a work pool"),
  provider_type: textSchema().min(1).optional().describe(
    "Refused if it is not the pool's",
  ),
  provider_details: z.record(z.string(), z.unknown()).default({}).describe(
    "What the worker tells of its engine",
  ),
  capacity: z.int().min(1).max(10_000).default(5),
  instance_id: z.uuid().optional().describe(
    "Made up by each process of the worker; what an earlier one still says is refused. Absent: the answer has one",
  ),
  secret: z.string().min(16).max(200).optional().describe(
    "Made up by the worker at its first start; proves later that it is the same. Absent: the answer has one",
  ),
  reach: reachSchema.default("auto"),
  ip_address: z.string().max(100).optional(),
  version: z.string().max(100).optional(),
}).openapi("WorkerInput", {
  description:
    "The same name in the same pool with the same `secret` is the same worker",
  examples: [examples.workerInputExample],
});

export const workerSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  work_pool_id: z.uuid(),
  provider_type: z.string(),
  provider_details: z.record(z.string(), z.unknown()),
  capacity: z.int(),
  current_load: z.int(),
  status: z.enum(WORKER_STATUSES),
  ready: z.int().describe("Browsers that it keeps ready"),
  reach: reachSchema,
  has_tunnel: z.boolean().describe("Whether its tunnel is up"),
  cpu_percent: z.number().nullable().describe(
    "Processor time that its host used between its last two heartbeats; 100 is all cores",
  ),
  memory_usage_mb: z.number().nullable(),
  disk_usage_mb: z.number().nullable(),
  ip_address: z.string().nullable(),
  version: z.string().nullable(),
  created_at: z.iso.datetime(),
  last_heartbeat: z.iso.datetime(),
}).openapi("Worker", {
  description: "A process that holds browsers of one work pool",
  examples: [examples.workerExample],
});

/** A session that a worker held when it was last heard of, under a new fencing token: it adopts these and ends the rest. */
export const heldSessionSchema = z.object({
  session_id: z.uuid(),
  fencing_token: z.int(),
  status: z.enum(["starting", "running"]),
}).openapi("HeldSession");

/** Answer of a registration. */
export const registrationSchema = z.object({
  worker: workerSchema,
  instance_id: z.uuid().describe(
    "Shown by every later call of this process, in x-browsergrid-instance",
  ),
  secret: z.string().optional().describe(
    "Shown by every later call, in x-browsergrid-secret; there if the worker gave none",
  ),
  /** Tells this grid's browsers from others'. */
  grid_id: z.string(),
  provider_config: z.record(z.string(), z.unknown()),
  lease_ttl_ms: z.int(),
  heartbeat_ms: z.int(),
  /** How much longer than a lease browsers that run are kept while the server is known to be away. */
  server_grace_ms: z.int(),
  /** How long sessions may go on when the worker drains of its own accord. */
  drain_timeout_ms: z.int(),
  held_sessions: z.array(heldSessionSchema),
}).openapi("WorkerRegistration", {
  description: "The worker, and what it needs to serve its pool",
  examples: [examples.registrationExample],
});

export const workerListSchema = z.object({
  items: z.array(workerSchema),
  next_cursor: z.string().nullable(),
}).openapi("WorkerList", {
  examples: [{ items: [examples.workerExample], next_cursor: null }],
});

/** Body of PUT `/heartbeat`: every report of the worker in one request. */
export const heartbeatInputSchema = z.strictObject({
  status: z.enum(["online", "busy", "draining", "failed", "offline"])
    .optional().describe("offline: it leaves"),
  current_load: z.int().min(0).optional(),
  ready: z.int().min(0).optional().describe("Browsers that it keeps ready"),
  cpu_percent: z.number().min(0).nullable().optional(),
  memory_usage_mb: z.number().min(0).nullable().optional(),
  disk_usage_mb: z.number().min(0).nullable().optional(),
  provider_details: z.record(z.string(), z.unknown()).optional(),
  sessions: z.array(sessionReportSchema).max(10_000).refine(
    (reports) =>
      new Set(reports.map(({ session_id }) => session_id)).size ===
        reports.length,
    "expected one report a session, the latest",
  ).default([]).describe("One report a session, the latest"),
}).openapi("HeartbeatInput", {
  description: "Every report of the worker in one request",
  examples: [examples.heartbeatInputExample],
});

/** Body of `drain`; may be left out. */
export const drainInputSchema = z.strictObject({
  timeout_seconds: z.number().min(0).max(7 * 86_400).optional().describe(
    "How long its sessions may go on; by default the setting drain_timeout_seconds",
  ),
}).openapi("DrainInput", { examples: [{ timeout_seconds: 600 }] });

/** An order to a worker. */
export const commandSchema = z.discriminatedUnion("type", [
  stopCommandSchema,
  z.object({
    type: z.literal("drain"),
    /** How long what it holds may go on. */
    timeout_ms: z.int(),
  }),
]).openapi("Command");

/** What a worker is to keep ready: with the claim, the only answer that has secrets. */
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
  count: z.int().min(1).describe("How many browsers"),
  max_age_ms: z.int().min(1).describe("Age at which one is replaced"),
}).openapi("ReadyBrowsers", {
  description:
    "What a worker keeps started and unused, for sessions that ask for the pool's defaults. It has their secrets",
  examples: [examples.readyBrowsersExample],
});

export const heartbeatAnswerSchema = z.object({
  status: z.enum(WORKER_STATUSES),
  lease_ttl_ms: z.int(),
  reports: z.array(reportResultSchema),
  /** Repeated until they are obeyed. Without a drain among them, an ordered drain is taken back. */
  commands: z.array(commandSchema),
  ready: readyBrowsersSchema.optional().describe(
    "The worker's share of its pool's min_ready; absent: it keeps no browser ready",
  ),
}).openapi("HeartbeatAnswer", {
  examples: [examples.heartbeatAnswerExample],
});

/** Body of `claim-session`; may be left out. */
export const claimInputSchema = z.strictObject({
  request_id: z.string().min(1).max(100).optional().describe(
    "A repeat with the same id gets the same sessions",
  ),
  count: z.int().min(1).max(100).default(1).describe(
    "Most sessions to claim at once",
  ),
  obeying: z.array(z.uuid()).max(10_000).default([]).describe(
    "Sessions that the worker is ending already: no order of theirs is worth an answer",
  ),
  room: z.int().min(0).optional().describe(
    "How many sessions the worker could take now; with 0 it waits for commands only",
  ),
}).openapi("ClaimInput", { examples: [examples.claimInputExample] });

/** Answer of `claim-session`. Without sessions the worker was woken to obey its commands. */
export const claimAnswerSchema = z.object({
  sessions: z.array(claimedSessionSchema),
  /** How long the server had waited when it gave them away: their leases began then. */
  waited_ms: z.number(),
  commands: z.array(commandSchema),
}).openapi("ClaimAnswer", { examples: [examples.claimAnswerExample] });

export type WorkerInput = z.infer<typeof workerInputSchema>;
export type WorkerWire = z.infer<typeof workerSchema>;
export type Registration = z.infer<typeof registrationSchema>;
export type HeartbeatInput = z.input<typeof heartbeatInputSchema>;
export type HeartbeatBody = z.infer<typeof heartbeatInputSchema>;
export type ReadyBrowsers = z.infer<typeof readyBrowsersSchema>;
export type HeartbeatAnswer = z.infer<typeof heartbeatAnswerSchema>;
export type Command = z.infer<typeof commandSchema>;
export type ClaimInput = z.input<typeof claimInputSchema>;
export type ClaimAnswer = z.infer<typeof claimAnswerSchema>;
export type HeldSessionWire = z.infer<typeof heldSessionSchema>;
