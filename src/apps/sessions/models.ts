import { isNotNull, type SQL, sql } from "drizzle-orm";
import {
  index,
  integer,
  primaryKey,
  real,
  type SQLiteColumn,
  sqliteTable,
  text,
} from "drizzle-orm/sqlite-core";
import {
  BROWSERS,
  OPERATING_SYSTEMS,
  type Proxy,
  type ResourceLimits,
  type Screen,
} from "../../core/browser_spec.ts";
import { workPools } from "../workerpool/models.ts";
import { SESSION_EVENTS, SESSION_STATUSES } from "./status.ts";

/**
 * Sessions. `proxy`, `environment` and `endpoint` are secret: only the claim and the gateway's lookup select them. The
 * values of `environment` and the password in `proxy` are encrypted.
 *
 * `worker_id` refers to `workers.id` without a constraint: a session outlives the row of its worker.
 */
export const sessions = sqliteTable("sessions", {
  id: text().primaryKey(),
  /** Id of the caller that asked for it: a client sees no other's. */
  owner: text().notNull().default("anonymous"),
  browser: text({ enum: BROWSERS }).notNull(),
  version: text().notNull(),
  headless: integer({ mode: "boolean" }).notNull(),
  operatingSystem: text("operating_system", { enum: OPERATING_SYSTEMS })
    .notNull(),
  screen: text({ mode: "json" }).notNull().$type<Screen>(),
  proxy: text({ mode: "json" }).$type<Proxy>(),
  resourceLimits: text("resource_limits", { mode: "json" }).notNull().$type<
    ResourceLimits
  >(),
  environment: text({ mode: "json" }).notNull().$type<Record<string, string>>(),
  /** Further arguments of the browser, within what its pool allows. */
  arguments: text({ mode: "json" }).notNull().default([]).$type<
    readonly string[]
  >(),
  workPoolId: text("work_pool_id").notNull().references(() => workPools.id),
  provider: text().notNull(),
  priority: integer().notNull(),
  idleTimeoutSeconds: real("idle_timeout_seconds"),
  /** Clients that may be connected at once. */
  maxConnections: integer("max_connections").notNull().default(1),
  /** Of an ephemeral one: how long it waits for its client to come back. */
  keepAliveSeconds: real("keep_alive_seconds"),
  labels: text({ mode: "json" }).notNull().$type<Record<string, string>>(),
  webhooksEnabled: integer("webhooks_enabled", { mode: "boolean" }).notNull(),
  /** Ends when its client's socket closes: made by `/v1/connect`. */
  ephemeral: integer({ mode: "boolean" }).notNull(),
  status: text({ enum: SESSION_STATUSES }).notNull(),
  statusReason: text("status_reason"),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
  startedAt: integer("started_at"),
  endedAt: integer("ended_at"),
  expiresAt: integer("expires_at").notNull(),
  queueDeadlineAt: integer("queue_deadline_at").notNull(),
  /** Latest moment for a `starting` one to run; news of its start move it. */
  startDeadlineAt: integer("start_deadline_at"),
  /** Of an ephemeral one: until when its client counts as there; the server that has the client renews it. */
  clientSeenUntil: integer("attended_until"),
  /** Last time that a client was connected or sent something. */
  lastActivityAt: integer("last_activity_at"),
  /** Since when nobody has used it; null: it is in use, or does not run. */
  idleSince: integer("idle_since"),
  workerId: text("worker_id"),
  containerId: text("container_id"),
  /** What the provider tells of the browser: pid, image, version. */
  details: text({ mode: "json" }).notNull().$type<Record<string, string>>(),
  endpoint: text(),
  /** How the gateway reaches the browser; null: not known yet. */
  reach: text({ enum: ["direct", "tunnel"] }),
  /** It was given a browser that was kept ready. */
  warm: integer({ mode: "boolean" }).notNull().default(sql`0`),
  /** Grows with each claim; a write that carries an older one is refused. */
  fencingToken: integer("fencing_token").notNull(),
  leaseExpiresAt: integer("lease_expires_at"),
  /** Lets a repeated claim find what it was given. */
  claimRequestId: text("claim_request_id"),
  startAttempts: integer("start_attempts").notNull(),
  /** The command to end it, repeated to its worker until it has ended. */
  stopRequestedAt: integer("stop_requested_at"),
  stopStatus: text("stop_status", { enum: SESSION_STATUSES }),
  stopReason: text("stop_reason"),
  stopForce: integer("stop_force", { mode: "boolean" }).notNull(),
  /** Last output of the browser, once it has ended. */
  logs: text(),
}, (table) => [
  // Matches the order in which the claim visits owners; without it each claimed session would sort the whole queue.
  index("sessions_queue").on(
    table.workPoolId,
    table.status,
    sql`${table.priority} DESC`,
    table.owner,
    table.id,
  ),
  // Covers only the live and pending sessions of an owner, not its ended ones.
  index("sessions_owner_status").on(table.owner, table.status),
  index("sessions_owner").on(table.owner, table.id),
  index("sessions_worker").on(table.workerId, table.status),
  index("sessions_status").on(table.status, table.expiresAt),
  index("sessions_ended").on(table.endedAt).where(isNotNull(table.endedAt)),
  // A worker's orders, without all that it has ever held.
  index("sessions_ordered").on(table.workerId).where(
    isNotNull(table.stopRequestedAt),
  ),
  index("sessions_waiting").on(table.status, waitsUntil(table)).where(
    sql`${table.status} = 'pending'`,
  ),
]);

/** Until when a pending session may wait at most, whatever ends it: one index for every such rule. */
export function waitsUntil(
  { queueDeadlineAt, clientSeenUntil }: Readonly<
    Record<"queueDeadlineAt" | "clientSeenUntil", SQLiteColumn>
  >,
): SQL {
  // Not min(): the generator of migrations takes the comma for the end of a column.
  return sql`CASE WHEN ${clientSeenUntil} < ${queueDeadlineAt}
    THEN ${clientSeenUntil} ELSE ${queueDeadlineAt} END`;
}

/** Keys by which a repeated request for a session finds what the first one made. */
export const idempotencyKeys = sqliteTable("idempotency_keys", {
  /** Who made the request: keys of different callers are different keys. */
  caller: text().notNull(),
  key: text().notNull(),
  /** Hash of the request's body. */
  fingerprint: text().notNull(),
  sessionId: text("session_id").notNull().references(() => sessions.id, {
    onDelete: "cascade",
  }),
  createdAt: integer("created_at").notNull(),
}, (table) => [
  primaryKey({ columns: [table.caller, table.key] }),
  index("idempotency_keys_session").on(table.sessionId),
  index("idempotency_keys_age").on(table.createdAt),
]);

/** What happened to sessions. `seq` is commit order: the cursor of whoever follows. */
export const sessionEvents = sqliteTable("session_events", {
  seq: integer().primaryKey({ autoIncrement: true }),
  sessionId: text("session_id").notNull().references(() => sessions.id, {
    onDelete: "cascade",
  }),
  event: text({ enum: SESSION_EVENTS }).notNull(),
  data: text({ mode: "json" }).notNull().$type<Record<string, unknown>>(),
  timestamp: integer().notNull(),
}, (table) => [index("session_events_session").on(table.sessionId, table.seq)]);

/** What sessions use, as their workers measure it. */
export const sessionMetrics = sqliteTable("session_metrics", {
  seq: integer().primaryKey({ autoIncrement: true }),
  sessionId: text("session_id").notNull().references(() => sessions.id, {
    onDelete: "cascade",
  }),
  cpuPercent: real("cpu_percent"),
  memoryMb: real("memory_mb"),
  networkRxBytes: integer("network_rx_bytes"),
  networkTxBytes: integer("network_tx_bytes"),
  timestamp: integer().notNull(),
}, (table) => [
  index("session_metrics_session").on(table.sessionId, table.seq),
]);
