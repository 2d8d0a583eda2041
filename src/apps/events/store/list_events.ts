/**
 * Lists events in the order of their sequence, without a sort.
 *
 * The events of a session or an owner are read from an index, all others in the order of the table. Other filters are
 * applied to a limited number of events in that order: a page of events that are rare may have fewer than its limit, or
 * none, and still a next one.
 *
 * @module
 */
import { type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare, prepareByShape } from "../../../db/prepare.ts";
import { sessionLabels } from "../../sessions/models.ts";
import type { EventFilter, StoredEvent } from "../event.ts";
import { events } from "../models.ts";

/** Maximum number of events that a page with filters reads: about 5 ms. */
const MAX_READ = 5_000;

/** Difference of the clocks of servers up to which `since` finds every event. */
const CLOCK_SKEW_MS = 60_000;

/** A page of events. */
export interface EventPageQuery extends EventFilter {
  readonly order: "asc" | "desc";
  /** Sequence of the last event that was read before. */
  readonly cursor?: number | undefined;
  readonly limit: number;
}

/** Events, and the sequence after which the next page begins. */
export interface EventPage {
  readonly items: readonly StoredEvent[];
  /** Absent on the last page. */
  readonly nextCursor?: number;
}

/** Lists events. One round trip. */
export async function listEvents(
  db: Database,
  { types, label, limit, ...query }: EventPageQuery,
): Promise<EventPage> {
  const [name, value] = label ?? [];
  const isFiltered = types !== undefined || label !== undefined ||
    query.workPoolId !== undefined || query.workerId !== undefined ||
    query.since !== undefined ||
    query.sessionId !== undefined && query.owner !== undefined;
  const { items, end } = await batchNamed(
    db.orm,
    findList({
      by: query.sessionId !== undefined
        ? "session"
        : query.owner === undefined
        ? "all"
        : "owner",
      order: query.order,
      isFiltered,
      hasStart: query.since !== undefined,
    })(db, {
      ...query,
      cursor: query.cursor ??
        (query.order === "asc" ? 0 : Number.MAX_SAFE_INTEGER),
      startsAt: (query.since ?? 0) - CLOCK_SKEW_MS,
      types: types && JSON.stringify(types),
      name,
      value,
      limit,
    }),
  );
  const last = items.length < limit ? end.flat().at(0) : items.at(-1);
  return last ? { items, nextCursor: last.sequence } : { items };
}

/** The filters of a list by their presence: one statement serves every list of a shape. */
interface ListShape {
  /** The index that is read. */
  readonly by: "session" | "owner" | "all";
  readonly order: "asc" | "desc";
  readonly isFiltered: boolean;
  readonly hasStart: boolean;
}

interface ListValues extends Omit<EventFilter, "types" | "label"> {
  readonly limit: number;
  /** JSON list. */
  readonly types: string | undefined;
  readonly name: string | undefined;
  readonly value: string | undefined;
  readonly cursor: number;
  /** Time of the first event that is read, about. */
  readonly startsAt: number;
}

/** Returns the statements for lists of a shape, built at their first use. */
const findList = prepareByShape(prepareList);

function prepareList(shape: ListShape) {
  return prepare(({ orm }, bind: Bind<ListValues>) => {
    const limit = bind("limit");
    const read = readInOrder(shape, bind);
    const page = shape.isFiltered
      ? sql`(SELECT e.* ${read} LIMIT ${MAX}) AS page WHERE ${meets(bind)}`
      : sql`(SELECT e.* ${read} LIMIT ${limit}) AS page`;
    return {
      items: orm.all<StoredEvent>(
        sql`SELECT ${eventColumns("page")} FROM ${page} LIMIT ${limit}`,
      ),
      end: shape.isFiltered ? [selectEnd(orm, read)] : [],
    };
  });
}

const MAX = sql.raw(String(MAX_READ));

/** Columns of a {@linkcode StoredEvent}. */
export function eventColumns(table: string): SQL {
  return sql.raw(
    `${table}.sequence AS sequence, ${table}.type AS type,
    ${table}.session_id AS "sessionId", ${table}.work_pool_id AS "workPoolId",
    ${table}.worker_id AS "workerId", ${table}.owner AS owner,
    ${table}.data AS data, ${table}.timestamp AS timestamp`,
  );
}

/** Selects the last of the events that a page with filters reads, if there may be more. */
function selectEnd(
  orm: Database["orm"],
  read: SQL,
): Statement<Pick<StoredEvent, "sequence">[]> {
  return orm.all(sql`SELECT e.sequence AS sequence ${read}
    LIMIT 1 OFFSET ${MAX} - 1`);
}

/** Returns SQL from FROM to ORDER BY of the events `e` after the cursor. */
function readInOrder(
  { by, order, hasStart }: ListShape,
  bind: Bind<ListValues>,
): SQL {
  const table = {
    session: sql`INDEXED BY events_session
      WHERE e.session_id = ${bind("sessionId")} AND`,
    owner: sql`INDEXED BY events_owner WHERE e.owner = ${bind("owner")} AND`,
    all: sql`WHERE`,
  }[by];
  const from = sql`FROM ${events} AS e ${table}`;
  const start = hasStart ? sql`${findStart(bind)} - 1` : sql`0`;
  return order === "asc"
    ? sql`${from} e.sequence > max(${bind("cursor")}, ${start})
      ORDER BY e.sequence`
    : sql`${from} e.sequence < ${bind("cursor")} AND e.sequence > ${start}
      ORDER BY e.sequence DESC`;
}

/**
 * Returns SQL for a sequence from which on the events are not earlier than `startsAt`: times grow with the sequence, so
 * that it is found by bisection, without an index of the times.
 */
function findStart(bind: Bind<ListValues>): SQL {
  const middle = sql`(walk.low + walk.high) / 2`;
  const isEarlier = sql`coalesce((SELECT m.timestamp FROM ${events} AS m
    WHERE m.sequence >= ${middle} ORDER BY m.sequence LIMIT 1)
    < ${bind("startsAt")}, 0)`;
  return sql`(WITH RECURSIVE walk(low, high) AS (
    SELECT 0, coalesce((SELECT x.sequence FROM ${events} AS x
      WHERE x.sequence > 0 ORDER BY x.sequence DESC LIMIT 1), 0) + 1
    UNION ALL
    SELECT iif(${isEarlier}, ${middle} + 1, walk.low),
      iif(${isEarlier}, walk.high, ${middle})
    FROM walk WHERE walk.low < walk.high)
    SELECT low FROM walk WHERE low >= high LIMIT 1)`;
}

/** Returns the condition that an event of the table `page` meets every filter. */
function meets(bind: Bind<ListValues>): SQL {
  const equals = (column: string, name: keyof ListValues & string) =>
    sql`(${bind(name)} IS NULL OR page.${sql.identifier(column)} = ${
      bind(name)
    })`;
  return sql`(${bind("types")} IS NULL
      OR page.type IN (SELECT value FROM json_each(${bind("types")})))
    AND ${equals("session_id", "sessionId")} AND ${equals("owner", "owner")}
    AND ${equals("work_pool_id", "workPoolId")}
    AND ${equals("worker_id", "workerId")}
    AND (${bind("since")} IS NULL OR page.timestamp >= ${bind("since")})
    AND (${bind("name")} IS NULL OR EXISTS (SELECT 1 FROM ${sessionLabels} AS l
      WHERE l.name = ${bind("name")} AND l.value = ${bind("value")}
      AND l.session_id = page.session_id))`;
}
