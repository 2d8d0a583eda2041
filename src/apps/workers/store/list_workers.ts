import { getTableColumns, type SQL, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { workers } from "../models.ts";
import { WORKER_STATUSES, type WorkerStatus } from "../status.ts";
import type { WorkerRow } from "../worker.ts";

/** Selects workers to list, in order of age. */
export interface WorkerListOptions {
  readonly work_pool_id?: string | undefined;
  readonly status?: WorkerStatus | undefined;
  readonly limit: number;
  /** Id of the last worker of the previous page. */
  readonly cursor?: string | undefined;
}

interface Values {
  readonly pool: string | undefined;
  readonly status: WorkerStatus | undefined;
  readonly after: string;
  readonly limit: number;
}

/**
 * Lists workers in order of age. One round trip. Merges the ordered workers of each status, so that no list scans or
 * sorts the offline workers of weeks.
 */
export async function listWorkers(
  db: Database,
  { work_pool_id, status, limit, cursor = "" }: WorkerListOptions,
): Promise<readonly WorkerRow[]> {
  const pool = work_pool_id || undefined;
  const bindList = pool === undefined
    ? status === undefined ? lists.all : lists.ofStatus
    : status === undefined
    ? lists.ofPool
    : lists.ofBoth;
  return await bindList(db, { pool, status, limit, after: cursor }).rows;
}

/** The statements of each set of filters, built at their first use. */
const lists = {
  all: prepareList({ hasPool: false, hasStatus: false }),
  ofStatus: prepareList({ hasPool: false, hasStatus: true }),
  ofPool: prepareList({ hasPool: true, hasStatus: false }),
  ofBoth: prepareList({ hasPool: true, hasStatus: true }),
};

function prepareList(
  { hasPool, hasStatus }: {
    readonly hasPool: boolean;
    readonly hasStatus: boolean;
  },
) {
  return prepare(({ orm }, bind: Bind<Values>) => {
    const index = hasPool
      ? sql`workers_pool WHERE work_pool_id = ${bind("pool")} AND`
      : sql`workers_status WHERE`;
    const select = (status: SQL) =>
      sql`SELECT id FROM workers INDEXED BY ${index} status = ${status}
        AND id > ${bind("after")}`;
    const parts = hasStatus
      ? [select(bind("status"))]
      : WORKER_STATUSES.map((status) => select(sql`${status}`));
    const page = sql`(SELECT w.rowid AS found
      FROM (${sql.join(parts, sql` UNION ALL `)}
        ORDER BY 1 LIMIT ${bind("limit")}) AS ids
      CROSS JOIN workers AS w INDEXED BY sqlite_autoindex_workers_1
      WHERE w.id = ids.id) AS page`;
    return {
      rows: orm.select(getTableColumns(workers)).from(page).crossJoin(workers)
        .where(sql`workers.rowid = page.found`),
    };
  });
}
