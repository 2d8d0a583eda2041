import { isNotNull, sql } from "drizzle-orm";
import {
  index,
  integer,
  real,
  sqliteTable,
  text,
  unique,
} from "drizzle-orm/sqlite-core";
import { workPools } from "../workerpool/models.ts";
import { WORKER_STATUSES } from "./status.ts";

/** Workers, including offline ones until they are pruned. */
export const workers = sqliteTable("workers", {
  id: text().primaryKey(),
  name: text().notNull(),
  workPoolId: text("work_pool_id").notNull().references(() => workPools.id, {
    onDelete: "cascade",
  }),
  providerType: text("provider_type").notNull(),
  providerDetails: text("provider_details", { mode: "json" }).notNull().$type<
    Record<string, unknown>
  >(),
  /** Hash of the secret that the worker generated at its first start, which proves its identity. */
  secretHash: text("secret_hash").notNull(),
  capacity: integer().notNull(),
  currentLoad: integer("current_load").notNull(),
  status: text({ enum: WORKER_STATUSES }).notNull(),
  /** Id of the worker's current process. Calls of an earlier process are rejected. */
  instanceId: text("instance_id"),
  /** Number of browsers that the worker keeps ready. */
  ready: integer().notNull().default(0),
  /** The path to its browsers that the worker requested. */
  reach: text({ enum: ["auto", "direct", "tunnel"] }).notNull().default("auto"),
  /** The result of `auto`; null if not known yet. */
  reached: text({ enum: ["direct", "tunnel"] }),
  /** URL under which other servers reach the server with the worker's tunnel; null if there is no tunnel. */
  tunnelUrl: text("tunnel_url"),
  drainRequestedAt: integer("drain_requested_at"),
  /** Time at which the sessions that it still holds are ended. */
  drainDeadlineAt: integer("drain_deadline_at"),
  cpuPercent: real("cpu_percent"),
  memoryUsageMb: real("memory_usage_mb"),
  diskUsageMb: real("disk_usage_mb"),
  ipAddress: text("ip_address"),
  version: text(),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
  lastHeartbeat: integer("last_heartbeat").notNull(),
}, (table) => [
  unique("workers_pool_name").on(table.workPoolId, table.name),
  // The workers of one status in the order of lists.
  index("workers_status").on(table.status, table.id),
  index("workers_pool").on(table.workPoolId, table.status, table.id),
  // The operating systems of a pool's workers, without reading each worker.
  index("workers_os").on(
    table.workPoolId,
    sql`${table.providerDetails} ->> 'os'`,
  ),
  index("workers_heartbeat").on(table.status, table.lastHeartbeat),
  index("workers_drain").on(table.drainDeadlineAt).where(
    isNotNull(table.drainDeadlineAt),
  ),
]);

/** Measurements of workers' hosts, which outlive their workers. After an hour the rows of a minute become one. */
export const workerMetrics = sqliteTable("worker_metrics", {
  seq: integer().primaryKey({ autoIncrement: true }),
  workerId: text("worker_id").notNull(),
  cpuPercent: real("cpu_percent"),
  /** Maximum of the measurements that the row stands for; null if there is one. */
  cpuPercentMax: real("cpu_percent_max"),
  memoryUsageMb: real("memory_usage_mb"),
  memoryUsageMbMax: real("memory_usage_mb_max"),
  diskUsageMb: real("disk_usage_mb"),
  /** Number of held sessions. */
  currentLoad: real("current_load"),
  currentLoadMax: real("current_load_max"),
  /** Number of measurements that the row stands for. */
  samples: integer().notNull().default(1),
  /** Time from the timestamp that the row stands for; 0 for a measurement. */
  spanSeconds: integer("span_seconds").notNull().default(0),
  timestamp: integer().notNull(),
}, (table) => [
  index("worker_metrics_worker").on(table.workerId, table.timestamp),
  index("worker_metrics_raw").on(table.timestamp).where(
    sql`${table.spanSeconds} = 0`,
  ),
  index("worker_metrics_age").on(table.timestamp),
]);

/** One row with the id of the grid, which distinguishes its browsers from those of other grids. */
export const grid = sqliteTable("grid", {
  only: integer().primaryKey(),
  id: text().notNull(),
});
