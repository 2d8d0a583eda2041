import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Notes on sessions. */
export const notes = sqliteTable("notes", {
  id: text().primaryKey(),
  sessionId: text("session_id").notNull(),
  text: text().notNull(),
  createdAt: integer("created_at").notNull(),
});
