import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { MACHINE_STATUSES } from "../workerpool/status.ts";

/**
 * Pools whose machines a server starts. A row outlives its pool until the last machine is removed: it has what the
 * removal needs.
 */
export const scaledPools = sqliteTable("scaled_pools", {
  poolId: text("pool_id").primaryKey(),
  /** Name of the pool, for events after its deletion. */
  name: text().notNull(),
  providerType: text("provider_type").notNull(),
  /** Copy of the pool's `provider_config` as JSON, encrypted. */
  providerConfig: text("provider_config").notNull(),
  /** `updated_at` of the pool at the time of the copy. */
  poolUpdatedAt: integer("pool_updated_at").notNull(),
  /** Id of the server that acts for the pool; null if it has released the pool. */
  leaseOwner: text("lease_owner"),
  leaseExpiresAt: integer("lease_expires_at").notNull(),
  /** Number of passes over the pool. It fences the decisions of each. */
  pass: integer().notNull(),
  /** Time since which the pool has more workers than it needs; null if it has not. */
  surplusSince: integer("surplus_since"),
  /** The smallest number of surplus workers since then. */
  surplusLeast: integer("surplus_least").notNull(),
  /** Number of failed starts since the last worker registered. */
  failures: integer().notNull(),
  /** Time before which no machine is started; null if there was no failure. */
  retryAt: integer("retry_at"),
  lastFailure: text("last_failure"),
  lastFailureAt: integer("last_failure_at"),
  /** Time of the last event of a failure. */
  failureRecordedAt: integer("failure_recorded_at"),
});

/** Machines that the server has requested. A row is inserted before the request, and deleted after the removal. */
export const machines = sqliteTable("machines", {
  /** Id with which the machine's worker registers. */
  workerId: text("worker_id").primaryKey(),
  poolId: text("pool_id").notNull(),
  status: text({ enum: MACHINE_STATUSES }).notNull(),
  /** Number of starts that failed. */
  attempts: integer().notNull(),
  /** Id of the worker's key; null on a server without authentication. */
  keyId: text("key_id"),
  /** The key, encrypted, so that a repeated start has the same one. Null once the worker has registered. */
  key: text(),
  requestedAt: integer("requested_at").notNull(),
  /** Time at which the infrastructure accepted the request. */
  acceptedAt: integer("accepted_at"),
  /** Time at which the server decided to drain the worker; null if it did not. */
  drainedAt: integer("drained_at"),
  /** Time at which the infrastructure accepted the removal. */
  removedAt: integer("removed_at"),
  /** Time of the last change of status. */
  statusAt: integer("status_at").notNull(),
}, (table) => [index("machines_pool").on(table.poolId, table.status)]);
