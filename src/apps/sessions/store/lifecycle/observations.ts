/**
 * Queries of the observations of sessions: browser events that workers send for webhooks. Without webhooks for browser events, the queries
 * read one empty index.
 *
 * @module
 */
import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import { z } from "zod";
import type { Statement } from "../../../../core/database.ts";
import {
  browserHooks,
  observationJson,
  receivesFrom,
} from "../../../webhooks/models.ts";
import { sessions } from "../../models.ts";
import {
  type Observation,
  observationSchema,
} from "../../schemas/observations.ts";
import { HELD_STATUSES } from "../../status.ts";

/** Maximum number of webhooks that one session's browser is observed for. */
const MAX_OBSERVATIONS = 50;

const PREFIX = /^cdp:/;

/** A webhook of a session, as {@linkcode selectObservations} returns it. */
export interface ObservedRow {
  readonly sessionId: string;
  /** JSON object. */
  readonly observation: string;
}

/** The observations of a session. */
export interface ObservedSession {
  readonly session_id: string;
  readonly observations: Observation[];
}

/** Returns SQL of the JSON list of the observations of a session, of the table `sessions` of the query. */
export function listObservations(now: SQL): SQL<string> {
  return sql<string>`(SELECT json_group_array(json(chosen.observation))
    FROM (SELECT ${observationJson} AS observation FROM ${browserHooks}
      WHERE ${receivesFrom(sql`${sessions}`, now)}
      LIMIT ${sql.raw(String(MAX_OBSERVATIONS))}) AS chosen)`;
}

/** Returns the statement that reads the observations of the sessions that a worker holds. */
export function selectObservations(
  orm: LibSQLDatabase,
  workerId: SQL,
  now: SQL,
): Statement<ObservedRow[]> {
  const held = sql.raw(`('${HELD_STATUSES.join("', '")}')`);
  return orm.all<ObservedRow>(sql`SELECT ${sessions}.id AS "sessionId",
      ${observationJson} AS observation
    FROM ${browserHooks} CROSS JOIN ${sessions}
    WHERE ${sessions}.worker_id = ${workerId}
      AND ${sessions}.status IN ${held}
      AND ${receivesFrom(sql`${sessions}`, now)}`);
}

const listSchema = z.array(z.object({
  webhook_id: z.string(),
  events: z.string().transform((pattern) =>
    pattern.split(",").map((each) => each.replace(PREFIX, ""))
  ),
  filters: observationSchema.shape.filters,
}));

/** Parses a JSON list of observations. */
export function parseObservations(json: string): Observation[] {
  // Most sessions have none.
  if (json === "[]") return [];
  return listSchema.parse(JSON.parse(json)).slice(0, MAX_OBSERVATIONS);
}

/** Collects the observations of each session. */
export function groupObservations(
  rows: readonly ObservedRow[],
): readonly ObservedSession[] {
  const bySession = Map.groupBy(rows, ({ sessionId }) => sessionId);
  return [...bySession].map(([session_id, ofSession]) => ({
    session_id,
    observations: parseObservations(
      `[${ofSession.map(({ observation }) => observation).join()}]`,
    ),
  }));
}
