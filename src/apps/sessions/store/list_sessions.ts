import { sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { type Bind, prepare, prepareByShape } from "../../../db/prepare.ts";
import { type ListPage } from "../../../http/page.ts";
import { sessions } from "../models.ts";
import type { Session } from "../session.ts";
import { SESSION_STATUSES, type SessionStatus } from "../status.ts";
import { publicColumns, toJsonObject } from "./columns.ts";
import {
  AFTER_IDS,
  type ListShape,
  type ListValues,
  selectIds,
} from "./list_ids.ts";
import { queueStateColumn } from "./queue/queue_state.ts";

/** Selects sessions to list, newest first. */
export interface SessionPage {
  readonly status?: readonly SessionStatus[] | undefined;
  readonly work_pool_id?: string | undefined;
  readonly worker_id?: string | undefined;
  /** Name and value of a label. */
  readonly label?: readonly [string, string] | undefined;
  readonly limit: number;
  /** Id of the last session of the previous page. */
  readonly cursor?: string | undefined;
}

/**
 * Lists sessions, newest first. One round trip. A page of two filters that seldom meet may have fewer sessions than its
 * limit, and still a next one.
 *
 * @param owner Only sessions of this owner; undefined lists those of all.
 */
export async function listSessions(
  db: Database,
  page: SessionPage,
  owner?: string,
): Promise<ListPage<Session>> {
  const { status, label, limit } = page;
  const pool = page.work_pool_id || undefined;
  const worker = page.worker_id || undefined;
  const statuses = status && [...new Set(status)];
  const [name, value] = label ?? [];
  const rows = await findList({
    owner: owner !== undefined,
    pool: pool !== undefined,
    worker: worker !== undefined,
    label: label !== undefined,
    statuses: statuses?.length,
  })(db, {
    ...Object.fromEntries(
      (statuses ?? SESSION_STATUSES).map((each, at) => [`status${at}`, each]),
    ),
    owner,
    pool,
    worker,
    name,
    value,
    before: page.cursor ?? AFTER_IDS,
    limit,
  }).rows;
  const items = rows.filter(({ isMatch }) => isMatch === 1)
    .map(({ session }): Session => JSON.parse(session));
  const last = rows.at(-1);
  return last && (rows.length === limit || last.isLast === 1)
    ? { items, nextCursor: last.id }
    : { items };
}

/** Returns the statement for lists of a shape, built at its first use. */
const findList = prepareByShape(prepareList);

/** A row of a list: the session as JSON text, and the marks of {@linkcode selectIds}. */
interface ListRow {
  readonly id: string;
  readonly session: string;
  readonly isMatch: 0 | 1;
  readonly isLast: 0 | 1;
}

function prepareList(shape: ListShape) {
  return prepare(({ orm }, bind: Bind<ListValues>) => ({
    rows: orm.all<ListRow>(sql`SELECT ids.id AS id, ids.is_match AS "isMatch",
      ids.is_last AS "isLast", ${toJsonObject(listedColumns)} AS session
      FROM (${selectIds(shape, bind)}) AS ids CROSS JOIN ${sessions}
      INDEXED BY sqlite_autoindex_sessions_1 WHERE ${sessions.id} = ids.id`),
  }));
}

/** Columns of each session in a list. */
const listedColumns = {
  ...publicColumns,
  waiting: queueStateColumn({ isInList: true }),
};
