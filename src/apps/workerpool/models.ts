import { type SQL, sql } from "drizzle-orm";
import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import {
  BROWSERS,
  OPERATING_SYSTEMS,
  type Proxy,
  type ResourceLimits,
  type Screen,
} from "../../core/browser_spec.ts";
import { POOL_EGRESS, POOL_STATUSES } from "./status.ts";

/** Work pools. The values of `default_environment` and `provider_secrets`, and the password in `default_proxy` are encrypted. */
export const workPools = sqliteTable("work_pools", {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  description: text().notNull(),
  providerType: text("provider_type").notNull(),
  providerConfig: text("provider_config", { mode: "json" }).notNull().$type<
    Record<string, unknown>
  >(),
  /** Values of the provider's secret options, which `provider_config` does not contain. */
  providerSecrets: text("provider_secrets", { mode: "json" }).$type<
    Readonly<Record<string, string>>
  >(),
  status: text({ enum: POOL_STATUSES }).notNull(),
  priority: integer().notNull(),
  defaultBrowser: text("default_browser", { enum: BROWSERS }),
  defaultBrowserVersion: text("default_browser_version"),
  defaultHeadless: integer("default_headless", { mode: "boolean" }),
  defaultOperatingSystem: text("default_operating_system", {
    enum: OPERATING_SYSTEMS,
  }),
  defaultScreen: text("default_screen", { mode: "json" }).$type<Screen>(),
  defaultProxy: text("default_proxy", { mode: "json" }).$type<Proxy>(),
  defaultResourceLimits: text("default_resource_limits", { mode: "json" })
    .$type<ResourceLimits>(),
  defaultEnvironment: text("default_environment", { mode: "json" }).$type<
    Record<string, string>
  >(),
  maxSessions: integer("max_sessions"),
  minWorkers: integer("min_workers").notNull(),
  maxWorkers: integer("max_workers"),
  maxSessionsPerWorker: integer("max_sessions_per_worker"),
  minReady: integer("min_ready").notNull(),
  /** Age at which a ready browser is replaced. */
  readyMaxAgeMinutes: real("ready_max_age_minutes").notNull().default(60),
  /** Arguments that sessions may pass to their browsers; null means the harmless ones. */
  allowedArguments: text("allowed_arguments", { mode: "json" }).$type<
    readonly string[]
  >(),
  /** Networks that browsers of the pool's sessions may reach. */
  egress: text({ enum: POOL_EGRESS }).notNull().default("auto"),
  /** Networks and hosts that browsers may reach regardless of `egress`. */
  egressAllow: text("egress_allow", { mode: "json" }).notNull().default([])
    .$type<readonly string[]>(),
  maxQueue: integer("max_queue"),
  maxTimeoutMinutes: real("max_timeout_minutes"),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

/**
 * Counts the sessions that the pool of the outer `work_pools` could start at once: as many as a claim would assign to
 * its workers, within the pool's own limit. Never negative.
 *
 * @param maxWorkers Maximum number of workers with room that are counted. The result is then exact, or at least this
 * number. -1 means all.
 */
// Columns are written with their table, because Drizzle drops the tables' names among selected fields. The tables of
// sessions and workers are written as text: their models refer to this module.
export function countPoolRoom(maxWorkers = -1): SQL<number> {
  const held = sql.raw("IN ('starting', 'running')");
  const ofWorker = sql`(
    min(w.capacity, coalesce(${workPools}.max_sessions_per_worker, w.capacity))
      - (SELECT count(*) FROM sessions AS h
        WHERE h.worker_id = w.id AND h.status ${held}))`;
  const ofWorkers = sql`(SELECT coalesce(sum(room), 0) FROM (
    SELECT ${ofWorker} AS room FROM workers AS w
    WHERE w.work_pool_id = ${workPools}.id AND w.status IN ('online', 'busy')
    AND w.drain_requested_at IS NULL AND room > 0
    LIMIT ${sql.raw(String(maxWorkers))}))`;
  const ofPool = sql`${workPools}.max_sessions - (SELECT count(*)
    FROM sessions AS h
    WHERE h.work_pool_id = ${workPools}.id AND h.status ${held})`;
  return sql<number>`iif(${workPools}.max_sessions IS NULL, ${ofWorkers},
    max(0, min(${ofWorkers}, ${ofPool})))`;
}
