import { isNotNull, isNull, type SQL, sql } from "drizzle-orm";
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
import { CONTROLS, SESSION_STATUSES } from "./status.ts";

/**
 * Sessions. `proxy`, `environment` and `endpoint` are secret: only the claim and the gateway's lookup select them. The
 * values of `environment` and the password in `proxy` are encrypted.
 *
 * `worker_id` refers to `workers.id` without a constraint: a session outlives the row of its worker.
 */
export const sessions = sqliteTable("sessions", {
  id: text().primaryKey(),
  /** Id of the caller that created the session. A client sees its own sessions only. */
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
  /** Additional browser arguments, among those that the pool allows. */
  arguments: text({ mode: "json" }).notNull().default([]).$type<
    readonly string[]
  >(),
  workPoolId: text("work_pool_id").notNull().references(() => workPools.id),
  provider: text().notNull(),
  priority: integer().notNull(),
  idleTimeoutSeconds: real("idle_timeout_seconds"),
  /** Maximum number of clients that are connected at once. */
  maxConnections: integer("max_connections").notNull().default(1),
  /** For an ephemeral session, how long it waits for its client to reconnect. */
  keepAliveSeconds: real("keep_alive_seconds"),
  labels: text({ mode: "json" }).notNull().$type<Record<string, string>>(),
  /** Trace of the session, under whose span its own are: a header `traceparent`. */
  traceparent: text(),
  webhooksEnabled: integer("webhooks_enabled", { mode: "boolean" }).notNull(),
  /** The session was created by `/v1/connect`, and ends with its client's socket. */
  ephemeral: integer({ mode: "boolean" }).notNull(),
  status: text({ enum: SESSION_STATUSES }).notNull(),
  statusReason: text("status_reason"),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
  startedAt: integer("started_at"),
  endedAt: integer("ended_at"),
  expiresAt: integer("expires_at").notNull(),
  queueDeadlineAt: integer("queue_deadline_at").notNull(),
  /** Latest time for a `starting` session to run; reported progress extends it. */
  startDeadlineAt: integer("start_deadline_at"),
  /** For an ephemeral session, time until which its client counts as connected; the client's server renews it. */
  clientSeenUntil: integer("attended_until"),
  /** Last time that a client connected or sent data. */
  lastActivityAt: integer("last_activity_at"),
  /** Time since which no client has used the session; null if it is in use or does not run. */
  idleSince: integer("idle_since"),
  workerId: text("worker_id"),
  containerId: text("container_id"),
  /** Facts about the browser from its provider: pid, image, version. */
  details: text({ mode: "json" }).notNull().$type<Record<string, string>>(),
  endpoint: text(),
  /** Path by which the gateway reaches the browser; null if not known yet. */
  reach: text({ enum: ["direct", "tunnel"] }),
  /** The session received a warm browser. */
  warm: integer({ mode: "boolean" }).notNull().default(sql`0`),
  /** Side that controls the browser. A trigger sets it back when the session ends. */
  control: text({ enum: CONTROLS }).notNull().default("client"),
  /** Grows with each claim; a write with an older token is rejected. */
  fencingToken: integer("fencing_token").notNull(),
  leaseExpiresAt: integer("lease_expires_at"),
  /** Id by which a repeated claim finds its sessions. */
  claimRequestId: text("claim_request_id"),
  startAttempts: integer("start_attempts").notNull(),
  /** Stop command, repeated to the worker until the session has ended. */
  stopRequestedAt: integer("stop_requested_at"),
  stopStatus: text("stop_status", { enum: SESSION_STATUSES }),
  stopReason: text("stop_reason"),
  stopForce: integer("stop_force", { mode: "boolean" }).notNull(),
  /** Last output of the browser, after it has ended. */
  logs: text(),
}, (table) => [
  // Matches the order in which the claim visits owners; without it each claimed session would sort the whole queue.
  index("sessions_queue").on(
    table.workPoolId,
    table.status,
    sql`${table.priority} DESC`,
    table.owner,
    table.id,
  ).where(sql`${table.status} = 'pending'`),
  // Lists are ordered by id. Each of these four has the sessions of one status in that order.
  index("sessions_status").on(table.status, table.id),
  index("sessions_pool").on(table.workPoolId, table.status, table.id),
  index("sessions_worker").on(table.workerId, table.status, table.id).where(
    isNotNull(table.workerId),
  ),
  index("sessions_owner").on(table.owner, table.status, table.id),
  // The claim counts the sessions that an owner holds in a pool.
  index("sessions_held").on(table.workPoolId, table.owner, table.status).where(
    sql`${table.status} IN ('starting', 'running')`,
  ),
  // What time changes, without the sessions that have ended.
  index("sessions_lifetime").on(table.expiresAt).where(isNull(table.endedAt)),
  index("sessions_lease").on(table.leaseExpiresAt).where(
    isNotNull(table.leaseExpiresAt),
  ),
  index("sessions_waiting").on(table.status, waitsUntil(table)).where(
    sql`${table.status} = 'pending'`,
  ),
  index("sessions_ended").on(table.endedAt).where(isNotNull(table.endedAt)),
  // Covers a worker's stop commands, without every session that it has ever held or stopped.
  index("sessions_ordered").on(table.workerId).where(hasStopCommand(table)),
]);

/**
 * Labels of sessions, by which lists find them. Triggers on `sessions` insert and delete the rows, which therefore need
 * no index by session.
 */
export const sessionLabels = sqliteTable("session_labels", {
  name: text().notNull(),
  value: text().notNull(),
  sessionId: text("session_id").notNull(),
  /** Owner of the session: a client's list must not visit the sessions of others. */
  owner: text().notNull(),
}, (table) => [
  primaryKey({ columns: [table.name, table.value, table.sessionId] }),
  index("session_labels_owner").on(
    table.owner,
    table.name,
    table.value,
    table.sessionId,
  ),
]);

/** Returns the condition that a session has a stop command that its worker has not obeyed. A forced one stays until the worker reports the end. */
export function hasStopCommand(
  { stopRequestedAt, status, stopForce }: Readonly<
    Record<"stopRequestedAt" | "status" | "stopForce", SQLiteColumn>
  >,
): SQL {
  return sql`(${stopRequestedAt} IS NOT NULL
  AND (${status} IN ('starting', 'running') OR ${stopForce} = 1))`;
}

/** Returns the time until which a pending session may wait, for any reason: one index serves every such rule. */
export function waitsUntil(
  { queueDeadlineAt, clientSeenUntil }: Readonly<
    Record<"queueDeadlineAt" | "clientSeenUntil", SQLiteColumn>
  >,
): SQL {
  // Not min(): the migration generator reads the comma as the end of a column.
  return sql`CASE WHEN ${clientSeenUntil} < ${queueDeadlineAt}
    THEN ${clientSeenUntil} ELSE ${queueDeadlineAt} END`;
}

/** Idempotency keys, by which a repeated request finds the session of the first one. */
export const idempotencyKeys = sqliteTable("idempotency_keys", {
  /** Id of the caller. The same key of two callers is two keys. */
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

/**
 * Measurements of sessions by their workers. After an hour the rows of a minute become one, with means, and the last
 * values of counters.
 */
export const sessionMetrics = sqliteTable("session_metrics", {
  seq: integer().primaryKey({ autoIncrement: true }),
  sessionId: text("session_id").notNull().references(() => sessions.id, {
    onDelete: "cascade",
  }),
  cpuPercent: real("cpu_percent"),
  /** Maximum of the measurements that the row stands for; null if there is one. */
  cpuPercentMax: real("cpu_percent_max"),
  memoryMb: real("memory_mb"),
  memoryMbMax: real("memory_mb_max"),
  networkRxBytes: integer("network_rx_bytes"),
  networkTxBytes: integer("network_tx_bytes"),
  diskReadBytes: integer("disk_read_bytes"),
  diskWriteBytes: integer("disk_write_bytes"),
  /** Number of measurements that the row stands for. */
  samples: integer().notNull().default(1),
  /** Time from the timestamp that the row stands for; 0 for a measurement. */
  spanSeconds: integer("span_seconds").notNull().default(0),
  timestamp: integer().notNull(),
}, (table) => [
  index("session_metrics_session").on(table.sessionId, table.timestamp),
  index("session_metrics_raw").on(table.timestamp).where(
    sql`${table.spanSeconds} = 0`,
  ),
]);

/**
 * Servers at which clients follow the output of sessions. While a session has a row that has not expired, its worker
 * sends its output.
 */
export const sessionLogFollows = sqliteTable("session_log_follows", {
  sessionId: text("session_id").notNull().references(() => sessions.id, {
    onDelete: "cascade",
  }),
  /** Id of the server's process. */
  follower: text().notNull(),
  /** The server renews it while clients follow. */
  followedUntil: integer("followed_until").notNull(),
  /** True once the worker has received the command to send output. */
  isDelivered: integer("is_delivered", { mode: "boolean" }).notNull(),
}, (table) => [
  primaryKey({ columns: [table.sessionId, table.follower] }),
  index("session_log_follows_until").on(table.followedUntil),
  index("session_log_follows_new").on(table.isDelivered).where(
    sql`${table.isDelivered} = 0`,
  ),
]);

/** The last output of followed sessions, in parts, kept for a minute. */
export const sessionLogParts = sqliteTable("session_log_parts", {
  seq: integer().primaryKey({ autoIncrement: true }),
  sessionId: text("session_id").notNull().references(() => sessions.id, {
    onDelete: "cascade",
  }),
  text: text().notNull(),
  /** Number of bytes that were left out before it. */
  omitted: integer().notNull(),
  /** True if it begins with the last lines from before the worker began to send. */
  isFirst: integer("is_first", { mode: "boolean" }).notNull(),
  createdAt: integer("created_at").notNull(),
}, (table) => [
  index("session_log_parts_session").on(table.sessionId),
  index("session_log_parts_age").on(table.createdAt),
]);
