import type { ResultSet } from "@libsql/client";
import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database, Statement } from "../../../core/database.ts";
import { SeriesReader } from "../../../db/series/reader.ts";
import type { Series } from "../../../db/series/series.ts";
import { sessionMetrics, sessions } from "../models.ts";
import type { SessionMetric } from "../session.ts";

/** The measurements of sessions. */
export const sessionSeries: Series = {
  table: sessionMetrics,
  key: sessionMetrics.sessionId,
  means: [sessionMetrics.cpuPercent, sessionMetrics.memoryMb],
  maxima: [
    [sessionMetrics.cpuPercent, sessionMetrics.cpuPercentMax],
    [sessionMetrics.memoryMb, sessionMetrics.memoryMbMax],
  ],
  counters: [
    sessionMetrics.networkRxBytes,
    sessionMetrics.networkTxBytes,
    sessionMetrics.diskReadBytes,
    sessionMetrics.diskWriteBytes,
  ],
};

/** Reads measurements of sessions. */
export const sessionMetricReader: SeriesReader<SessionMetric> =
  new SeriesReader(sessionSeries);

/** Members of the JSON of a measurement, which are columns too. */
const VALUES = [
  sessionMetrics.cpuPercent,
  sessionMetrics.memoryMb,
  ...sessionSeries.counters,
];

/** Returns the statement that reads the last measurements of a session, newest first. */
export function selectLastMetrics(
  db: Database,
  id: string,
  limit: number,
): Statement<SessionMetric[]> {
  return sessionMetricReader.select(db, {
    id,
    limit,
    ms: 0,
    since: null,
    until: null,
  });
}

/**
 * Creates the statement that records measurements of sessions.
 *
 * @param values SQL for the JSON object with the values of a row of `from`.
 * @param from SQL for the tables with the sessions, and the condition.
 */
export function insertMetrics(
  orm: LibSQLDatabase,
  { values, now, from }: {
    readonly values: SQL;
    readonly now: SQL | number;
    readonly from: SQL;
  },
): Statement<ResultSet> {
  const names = VALUES.map(({ name }) => sql.identifier(name));
  const members = VALUES.map(({ name }) => sql`${values} ->> ${`$.${name}`}`);
  return orm.run(sql`INSERT INTO ${sessionMetrics}
      (session_id, ${sql.join(names, sql`, `)}, timestamp)
    SELECT ${sessions.id}, ${sql.join(members, sql`, `)}, ${now} FROM ${from}`);
}
