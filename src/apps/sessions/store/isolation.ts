import { type SQL, sql } from "drizzle-orm";
import { BUILT_IN_ADMINS } from "../../../core/caller.ts";
import { apiKeys } from "../../keys/models.ts";
import { sessions } from "../models.ts";

/**
 * SQL that reports whether a session belongs to a client key: its owner is neither a built-in admin nor an admin's key.
 * An owner that no longer exists counts as a client.
 */
export const isIsolated: SQL<boolean> = sql<
  boolean
>`(${sessions}.owner NOT IN ${BUILT_IN_ADMINS} AND NOT EXISTS (
  SELECT 1 FROM ${apiKeys} AS k
  WHERE k.id = ${sessions}.owner AND k.role = 'admin'))`.mapWith(Boolean);
