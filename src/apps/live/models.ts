import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { sessions } from "../sessions/models.ts";
import { LINK_MODES } from "./status.ts";

/** Links to the live view of sessions. A link's token is not stored, only its hash. */
export const liveLinks = sqliteTable("live_links", {
  id: text().primaryKey(),
  sessionId: text("session_id").notNull().references(() => sessions.id, {
    onDelete: "cascade",
  }),
  mode: text({ enum: LINK_MODES }).notNull(),
  /** SHA-256 of the token, in hex. Links are found by it. */
  tokenHash: text("token_hash").notNull().unique(),
  /** Id of the caller. Without its key the link is not valid either. */
  createdBy: text("created_by").notNull(),
  note: text().notNull(),
  createdAt: integer("created_at").notNull(),
  expiresAt: integer("expires_at").notNull(),
  revokedAt: integer("revoked_at"),
}, (table) => [
  // Ids are in the order of creation. The deletion of a session finds its links.
  index("live_links_session").on(table.sessionId, table.id),
  index("live_links_expiry").on(table.expiresAt),
]);
