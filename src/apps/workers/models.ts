import {
  integer,
  real,
  sqliteTable,
  text,
  unique,
} from "drizzle-orm/sqlite-core";
import { workPools } from "../workerpool/models.ts";
import { WORKER_STATUSES } from "./status.ts";

/** Workers. */
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
  /** Hash of what the worker made up at its first start: proves that it is the same one. */
  secretHash: text("secret_hash").notNull(),
  capacity: integer().notNull(),
  currentLoad: integer("current_load").notNull(),
  status: text({ enum: WORKER_STATUSES }).notNull(),
  /** The process that is this worker now; an earlier one is refused. */
  instanceId: text("instance_id"),
  /** Browsers that it keeps ready. */
  ready: integer().notNull().default(0),
  /** How the server is to reach its browsers: as asked for. */
  reach: text({ enum: ["auto", "direct", "tunnel"] }).notNull().default("auto"),
  /** What `auto` has come to; null: not known yet. */
  reached: text({ enum: ["direct", "tunnel"] }),
  /** Where the server that has its tunnel is reached by the others; null: it has none. */
  tunnelUrl: text("tunnel_url"),
  drainRequestedAt: integer("drain_requested_at"),
  /** When what it still holds is ended. */
  drainDeadlineAt: integer("drain_deadline_at"),
  cpuPercent: real("cpu_percent"),
  memoryUsageMb: real("memory_usage_mb"),
  diskUsageMb: real("disk_usage_mb"),
  ipAddress: text("ip_address"),
  version: text(),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
  lastHeartbeat: integer("last_heartbeat").notNull(),
}, (table) => [unique("workers_pool_name").on(table.workPoolId, table.name)]);

/** One row: the id that tells this grid's browsers from others'. */
export const grid = sqliteTable("grid", {
  only: integer().primaryKey(),
  id: text().notNull(),
});
