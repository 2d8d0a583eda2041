import { isNotNull, sql } from "drizzle-orm";
import {
  index,
  integer,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { sessions } from "../sessions/models.ts";
import { HANDOVER_STATUSES } from "./status.ts";

/** Sessions of which viewers have control without a request, until their servers no longer say so. */
export const liveControls = sqliteTable("live_controls", {
  sessionId: text("session_id").primaryKey().references(() => sessions.id, {
    onDelete: "cascade",
  }),
  until: integer().notNull(),
}, (table) => [index("live_controls_until").on(table.until)]);

/**
 * Requests to a person to take control of a session. A session has at most one that is open, and its last ones.
 *
 * A trigger on `sessions` resolves the open request of a session that ends, whatever ends it.
 */
export const handovers = sqliteTable("handovers", {
  /** The order of the requests of a session. */
  seq: integer().primaryKey({ autoIncrement: true }),
  id: text().notNull().unique(),
  sessionId: text("session_id").notNull().references(() => sessions.id, {
    onDelete: "cascade",
  }),
  status: text({ enum: HANDOVER_STATUSES }).notNull(),
  /** Task of the person. */
  reason: text().notNull(),
  /** Commands of the client are rejected while the request is open. */
  hold: integer({ mode: "boolean" }).notNull(),
  untilUrl: text("until_url"),
  untilSelector: text("until_selector"),
  /** Why the condition cannot be checked. */
  untilError: text("until_error"),
  /** Message of the person at the end. */
  note: text(),
  requestedBy: text("requested_by").notNull(),
  resolvedBy: text("resolved_by"),
  /** Id of the link for the person. */
  linkId: text("link_id"),
  /** The token of that link, encrypted, for webhooks. Null once the request has ended. */
  linkToken: text("link_token"),
  createdAt: integer("created_at").notNull(),
  expiresAt: integer("expires_at").notNull(),
  resolvedAt: integer("resolved_at"),
  /** Id of the server's process that checks the condition. */
  checkedBy: text("checked_by"),
  /** End of the lease of that server; 0 if none has checked. Null without an open condition. */
  checkedUntil: integer("checked_until"),
}, (table) => [
  uniqueIndex("handovers_open").on(table.sessionId).where(
    sql`${table.status} = 'open'`,
  ),
  index("handovers_session").on(table.sessionId),
  index("handovers_due").on(table.expiresAt).where(
    sql`${table.status} = 'open'`,
  ),
  index("handovers_checked").on(table.checkedUntil).where(
    isNotNull(table.checkedUntil),
  ),
]);
