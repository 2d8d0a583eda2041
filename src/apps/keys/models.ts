import { isNotNull, isNull } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
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
  /** Id of the caller that signed in, for a key in the cookie of a sign-in; null for all others. */
  signedInFor: text("signed_in_for"),
  /** HMAC of the setting `api_key` that signed in: with another value the sign-in ends. */
  signedInProof: text("signed_in_proof"),
}, (table) => [
  // The deletion of a pool finds its keys.
  index("api_keys_pool").on(table.workPoolId),
  index("api_keys_role").on(table.role, table.workPoolId).where(
    isNull(table.revokedAt),
  ),
  index("api_keys_signed_in").on(table.signedInFor, table.id).where(
    isNotNull(table.signedInFor),
  ),
  index("api_keys_signed_in_expiry").on(table.expiresAt).where(
    isNotNull(table.signedInFor),
  ),
]);

/** Secrets that all servers of the grid share. Each is generated once. */
export const gridSecrets = sqliteTable("grid_secrets", {
  name: text().primaryKey(),
  /** 32 random bytes in hex, encrypted. */
  value: text().notNull(),
});
