import type { ResultSet } from "@libsql/client";
import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database, Statement } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import {
  type SeriesPage,
  type SeriesQuery,
  SeriesReader,
} from "../../../db/series/reader.ts";
import type { Series } from "../../../db/series/series.ts";
import { workerMetrics, workers } from "../models.ts";
import type { WorkerMetric } from "../worker.ts";

/** Maximum number of measurements that are deleted at once. */
const MAX_ROWS = 1_000;

/** The measurements of workers' hosts. */
export const workerSeries: Series = {
  table: workerMetrics,
  key: workerMetrics.workerId,
  means: [
    workerMetrics.cpuPercent,
    workerMetrics.memoryUsageMb,
    workerMetrics.diskUsageMb,
    workerMetrics.currentLoad,
  ],
  maxima: [
    [workerMetrics.cpuPercent, workerMetrics.cpuPercentMax],
    [workerMetrics.memoryUsageMb, workerMetrics.memoryUsageMbMax],
    [workerMetrics.currentLoad, workerMetrics.currentLoadMax],
  ],
  counters: [],
};

const reader = new SeriesReader<WorkerMetric>(workerSeries);

/** Members of the JSON of a measurement, which are columns too. */
const VALUES = [
  workerMetrics.cpuPercent,
  workerMetrics.memoryUsageMb,
  workerMetrics.diskUsageMb,
];

/** Reads measurements of a worker. One round trip. Returns undefined if there is no such worker. */
export async function readMetrics(
  db: Database,
  id: string,
  query: Omit<SeriesQuery, "id">,
  now: number,
): Promise<SeriesPage<WorkerMetric> | undefined> {
  const { found, metrics } = await batchNamed(db.orm, {
    found: findId(db, { id }).found,
    metrics: reader.select(db, { ...query, id }),
  });
  return found[0] && reader.toPage(metrics, query, now);
}

const findId = prepare(({ orm }, bind: Bind<{ readonly id: string }>) => ({
  found: orm.select({ id: workers.id }).from(workers).where(
    sql`${workers.id} = ${bind("id")}`,
  ),
}));

/**
 * Creates the statement that records the measurement in a heartbeat.
 *
 * @param body SQL for the JSON object of the heartbeat.
 * @param condition SQL for the worker that it is of.
 */
export function insertMetrics(
  orm: LibSQLDatabase,
  { body, now, condition }: {
    readonly body: SQL;
    readonly now: SQL;
    readonly condition: SQL;
  },
): Statement<ResultSet> {
  const names = VALUES.map(({ name }) => sql.identifier(name));
  const members = VALUES.map(({ name }) =>
    sql`${body} ->> ${`$.metrics.${name}`}`
  );
  return orm.run(sql`INSERT INTO ${workerMetrics} (worker_id,
      ${sql.join(names, sql`, `)}, current_load, timestamp)
    SELECT ${workers.id}, ${sql.join(members, sql`, `)},
      ${body} ->> '$.current_load', ${now} FROM ${workers} WHERE ${condition}`);
}

/** Returns the statement that deletes the oldest measurements before a time. */
export function pruneMetrics(
  orm: LibSQLDatabase,
  before: number,
): Statement<ResultSet> {
  return orm.run(sql`DELETE FROM ${workerMetrics} WHERE seq IN
    (SELECT seq FROM ${workerMetrics} INDEXED BY worker_metrics_age
      WHERE timestamp < ${before} LIMIT ${MAX_ROWS})`);
}
