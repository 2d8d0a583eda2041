import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { ROLES } from "../../core/caller.ts";
import { workPools } from "../workerpool/models.ts";

/** API keys. A key itself is not stored, only its hash. */
export const apiKeys = sqliteTable("api_keys", {
  id: text().primaryKey(),
  name: text().notNull(),
  /** First part of the key, which is not secret. Rows are found by it. */
  prefix: text().notNull().unique(),
  /** SHA-256 of the whole key, in hex. */
  hash: text().notNull(),
  role: text({ enum: ROLES }).notNull(),
  /** The only work pool that the key may use; null means all. Deleting the pool deletes the key. */
  workPoolId: text("work_pool_id").references(() => workPools.id, {
    onDelete: "cascade",
  }),
  /** Maximum number of live sessions of the owner, in all pools; null means no limit. */
  maxSessions: integer("max_sessions"),
  /** Maximum number of pending sessions of the owner; null means that only the pools' limits apply. */
  maxQueue: integer("max_queue"),
  /**
   * Highest priority of the owner's sessions; null means the priority of the pool for a client, and no limit for an
   * admin.
   */
  maxPriority: integer("max_priority"),
  createdAt: integer("created_at").notNull(),
  expiresAt: integer("expires_at"),
  lastUsedAt: integer("last_used_at"),
  revokedAt: integer("revoked_at"),
});

/** Secrets that all servers of the grid share. Each is generated once. */
export const gridSecrets = sqliteTable("grid_secrets", {
  name: text().primaryKey(),
  /** 32 random bytes in hex, encrypted. */
  value: text().notNull(),
});
