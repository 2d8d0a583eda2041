/**
 * Finds the ids of a list, newest first, without a scan and without sorting.
 *
 * Each index has the sessions of one status in the order of ids: a list merges as many ordered streams as it has
 * statuses. Two independent filters, such as a label and a pool, are two streams that
 * leap over each other: each continues at the id that the other one has reached.
 *
 * ```text
 * label:  s9 -----> s7      s6 -> s3        ids in both: s7, s3
 * pool:        s8 -> s7 -----> s4 -> s3
 * ```
 *
 * The number of leaps is limited, for two large streams with few ids in common. A list that reaches the limit ends
 * there, and its cursor continues.
 *
 * Each statement names its index, because statistics of the tables must not change the plan.
 *
 * @module
 */
import { type SQL, sql } from "drizzle-orm";
import type { Bind } from "../../../db/prepare.ts";
import { SESSION_STATUSES } from "../status.ts";

/** The filters of a list by the presence of each: one statement serves every list of a shape. */
export interface ListShape {
  readonly owner: boolean;
  readonly pool: boolean;
  readonly worker: boolean;
  readonly label: boolean;
  /** Number of statuses; undefined means no filter by status. */
  readonly statuses: number | undefined;
}

/** The values of a list's filters. */
export interface ListValues {
  readonly owner: string | undefined;
  readonly pool: string | undefined;
  readonly worker: string | undefined;
  readonly name: string | undefined;
  readonly value: string | undefined;
  readonly [status: `status${number}`]: string;
  /** Every listed id is smaller. */
  readonly before: string;
  readonly limit: number;
}

/** Larger than every id; also larger than all ids after which it is written. */
export const AFTER_IDS = "~";

/** Maximum number of index searches of one statement: 5 to 10 ms. */
const MAX_SEARCHES = 8_000;

/** The indexes that lists read, by the column that each has before the status and the id. */
const INDEXES = {
  owner: { index: "sessions_owner", column: "owner" },
  pool: { index: "sessions_pool", column: "work_pool_id" },
  worker: { index: "sessions_worker", column: "worker_id" },
} as const;

/** Ids in descending order. */
interface IdStream {
  /** Number of ordered parts: one for each status. */
  readonly parts: number;
  /** Selects the ids of a part that meet a condition. */
  readonly select: (part: number, condition: (id: SQL) => SQL) => SQL;
}

/**
 * Returns SQL for a table of at most `limit` rows, newest first: `id`, `is_match`, and `is_last` for the row at which the
 * search has reached its limit. A row that is no match is such a last one; its session belongs to the owner.
 */
export function selectIds(shape: ListShape, bind: Bind<ListValues>): SQL {
  const [first, second] = chooseStreams(shape, bind);
  return second ? selectCommon(first, second, bind) : selectMerged(first, bind);
}

/** Returns one stream, or two of which the list has the common ids. The first has only sessions of the owner. */
function chooseStreams(
  shape: ListShape,
  bind: Bind<ListValues>,
): readonly [IdStream, IdStream?] {
  const { owner, pool, worker, label, statuses } = shape;
  const of = (key: keyof typeof INDEXES) => streamSessions(key, shape, bind);
  // A worker's sessions are of one pool: the index of the worker serves both.
  const place = worker ? of("worker") : pool ? of("pool") : undefined;
  if (label) {
    const labelled = streamLabel(shape, bind);
    if (place) return [labelled, place];
    return statuses === undefined
      ? [labelled]
      : [labelled, owner ? of("owner") : streamEvery(shape, bind)];
  }
  if (!owner) return [place ?? streamEvery(shape, bind)];
  return place ? [of("owner"), place] : [of("owner")];
}

function streamLabel(
  { owner }: ListShape,
  bind: Bind<ListValues>,
): IdStream {
  const from = owner
    ? sql`session_labels AS l INDEXED BY session_labels_owner
      WHERE l.owner = ${bind("owner")} AND`
    : sql`session_labels AS l WHERE`;
  return {
    parts: 1,
    select: (_, condition) =>
      sql`SELECT l.session_id AS id FROM ${from} l.name = ${bind("name")}
      AND l.value = ${bind("value")} AND ${condition(sql`l.session_id`)}`,
  };
}

function streamSessions(
  key: keyof typeof INDEXES,
  { pool, statuses = SESSION_STATUSES.length }: ListShape,
  bind: Bind<ListValues>,
): IdStream {
  const { index, column } = INDEXES[key];
  const value = key === "worker" && pool ? ifOfPool(bind) : bind(key);
  return {
    parts: statuses,
    select: (part, condition) =>
      sql`SELECT n.id FROM sessions AS n INDEXED BY ${sql.identifier(index)}
      WHERE n.${sql.identifier(column)} = ${value}
      AND n.status = ${bind(`status${part}`)} AND ${condition(sql`n.id`)}`,
  };
}

/** Returns the sessions of all owners, pools and workers. */
function streamEvery(
  { statuses }: ListShape,
  bind: Bind<ListValues>,
): IdStream {
  return {
    parts: statuses ?? 1,
    select: (part, condition) =>
      statuses === undefined
        ? sql`SELECT n.id
          FROM sessions AS n INDEXED BY sqlite_autoindex_sessions_1
          WHERE ${condition(sql`n.id`)}`
        : sql`SELECT n.id FROM sessions AS n INDEXED BY sessions_status
          WHERE n.status = ${bind(`status${part}`)}
          AND ${condition(sql`n.id`)}`,
  };
}

/** Returns SQL for the worker, or for NULL if its sessions are not of the pool: all are of one. */
function ifOfPool(bind: Bind<ListValues>): SQL {
  return sql`(SELECT one.worker_id FROM (SELECT worker_id, work_pool_id
      FROM sessions INDEXED BY sessions_worker
      WHERE worker_id = ${bind("worker")} LIMIT 1) AS one
    WHERE one.work_pool_id = ${bind("pool")})`;
}

/** Merges the parts of a stream. SQLite reads only as much of each as the merge needs. */
function selectMerged(stream: IdStream, bind: Bind<ListValues>): SQL {
  const isBefore = (id: SQL) => sql`${id} < ${bind("before")}`;
  const parts = listParts(stream).map((part) => stream.select(part, isBefore));
  return sql`SELECT id, 1 AS is_match, 0 AS is_last FROM (${
    sql.join(parts, sql` UNION ALL `)
  } ORDER BY 1 DESC LIMIT ${bind("limit")})`;
}

/**
 * Selects the ids that two streams have in common. `top` is an id of the first stream, and `low` the first id of the
 * second one that is not larger; if they differ, the first stream continues at `low`.
 */
function selectCommon(
  first: IdStream,
  second: IdStream,
  bind: Bind<ListValues>,
): SQL {
  const searches = first.parts + second.parts + 2;
  const maxSteps = sql.raw(String(Math.floor(MAX_SEARCHES / searches)));
  const isBelow = (id: SQL) => sql`${id} < walk.below`;
  const isUpTo = (id: SQL) => sql`${id} <= top.id`;
  return sql`WITH RECURSIVE walk(id, is_match, below, step) AS (
    SELECT NULL, 0, ${bind("before")}, 0
    UNION ALL
    SELECT top.id, top.id = low.id,
      low.id || iif(top.id = low.id, '', ${AFTER_IDS}), walk.step + 1
    FROM walk
    CROSS JOIN sessions AS top INDEXED BY sqlite_autoindex_sessions_1
    CROSS JOIN sessions AS low INDEXED BY sqlite_autoindex_sessions_1
    WHERE walk.step < ${maxSteps} AND top.id = ${findLargest(first, isBelow)}
    AND low.id = ${findLargest(second, isUpTo)}
  ) SELECT id, is_match, step = ${maxSteps} AS is_last FROM walk
  WHERE is_match OR step = ${maxSteps} LIMIT ${bind("limit")}`;
}

/** Returns SQL for the largest id of a stream that meets a condition; an empty text or NULL if there is none. */
function findLargest(stream: IdStream, condition: (id: SQL) => SQL): SQL {
  const parts = listParts(stream).map((part) =>
    sql`coalesce((${stream.select(part, condition)}
      ORDER BY 1 DESC LIMIT 1), '')`
  );
  return stream.parts === 1
    ? sql`${parts[0]}`
    : sql`max(${sql.join(parts, sql`, `)})`;
}

function listParts({ parts }: IdStream): readonly number[] {
  return Array.from({ length: parts }, (_, part) => part);
}
