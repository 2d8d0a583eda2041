import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { ROLES } from "../../core/auth.ts";
import { workPools } from "../workerpool/models.ts";

/** Keys by which callers prove who they are. The key itself is nowhere: only its hash. */
export const apiKeys = sqliteTable("api_keys", {
  id: text().primaryKey(),
  name: text().notNull(),
  /** First part of the key, which may be shown: by it the row is found. */
  prefix: text().notNull().unique(),
  /** SHA-256 of the whole key, in hex. */
  hash: text().notNull(),
  role: text({ enum: ROLES }).notNull(),
  /** The only work pool that the key is good for; a key without its pool would be good for nothing. */
  workPoolId: text("work_pool_id").references(() => workPools.id, {
    onDelete: "cascade",
  }),
  /** Sessions that its owner may have at once, in all pools; null: no limit. */
  maxSessions: integer("max_sessions"),
  /** Sessions of its owner that may wait; null: no limit but the pools'. */
  maxQueue: integer("max_queue"),
  /** Highest priority of its owner's sessions; null: a client's is its pool's, an admin has no limit. */
  maxPriority: integer("max_priority"),
  createdAt: integer("created_at").notNull(),
  expiresAt: integer("expires_at"),
  lastUsedAt: integer("last_used_at"),
  revokedAt: integer("revoked_at"),
});

/** Secrets that every server of the grid shares, each made once. */
export const gridSecrets = sqliteTable("grid_secrets", {
  name: text().primaryKey(),
  /** 32 random bytes in hex, encrypted. */
  value: text().notNull(),
});
