import { type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "../../core/database.ts";
import { type Bind, prepare } from "../prepare.ts";
import { groupColumns, rowColumns, type Series } from "./series.ts";

/** Selects measurements. Times are in ms since the epoch. */
export interface SeriesQuery {
  /** Id of what is measured. */
  readonly id: string;
  /** Length of the intervals that measurements are grouped by; 0 for the stored rows. */
  readonly ms: number;
  /** Start of the first interval; null for the last intervals with measurements. */
  readonly since: number | null;
  /** Time before which measurements are read; null if that is not limited. */
  readonly until: number | null;
  /** Maximum number of intervals or rows. */
  readonly limit: number;
}

/** Measurements of an interval. Its other members have the names of the columns. */
export interface SeriesRow {
  /** Start of the interval. */
  readonly timestamp: number;
}

/** Measurements, oldest first. */
export interface SeriesPage<R> {
  readonly items: readonly R[];
  /** Time from which the next page continues; null if this page has reached the end. */
  readonly nextSince: number | null;
}

/** Later than every measurement. */
const NEVER = sql.raw(String(Number.MAX_SAFE_INTEGER));

/** Reads a series. The rows that it reads are limited by the query's limit, whatever the length of the series. */
export class SeriesReader<R extends SeriesRow> {
  readonly #statements: ReturnType<typeof prepareReads<R>>;

  constructor(series: Series) {
    this.#statements = prepareReads<R>(series);
  }

  /** Returns the statement of a query, to be run in a batch. */
  select(db: Database, query: SeriesQuery): Statement<R[]> {
    const { last, following, grouped } = this.#statements(db, query);
    if (query.ms > 0) return grouped;
    return query.since === null ? last : following;
  }

  /** Returns the page of the rows of {@linkcode select}. */
  toPage(
    rows: readonly R[],
    { ms, since, until, limit }: Omit<SeriesQuery, "id">,
    now: number,
  ): SeriesPage<R> {
    if (since === null) {
      const items = ms > 0 ? rows : rows.slice(0, limit).toReversed();
      return { items, nextSince: null };
    }
    if (ms === 0) {
      const next = rows.at(limit)?.timestamp ?? null;
      return { items: rows.slice(0, limit), nextSince: next };
    }
    const next = (Math.floor(since / ms) + limit) * ms;
    const isEnd = next > now || next >= (until ?? Infinity);
    return { items: rows, nextSince: isEnd ? null : next };
  }
}

function prepareReads<R extends SeriesRow>(series: Series) {
  const { table, key } = series;
  const { seq, timestamp } = table;
  return prepare(({ orm }, bind: Bind<SeriesQuery>) => {
    const rows = sql`SELECT ${timestamp} AS "timestamp",
        ${renderColumns(rowColumns(series))}
      FROM ${table} WHERE ${key} = ${bind("id")}
      AND ${timestamp} < coalesce(${bind("until")}, ${NEVER})`;
    return {
      last: orm.all<R>(sql`${rows}
        ORDER BY ${timestamp} DESC, ${seq} DESC LIMIT ${bind("limit")}`),
      following: orm.all<R>(sql`${rows}
        AND ${timestamp} >= ${bind("since")}
        ORDER BY ${timestamp}, ${seq} LIMIT ${bind("limit")} + 1`),
      grouped: orm.all<R>(selectGrouped(series, bind)),
    };
  });
}

/** Returns SQL that reads the intervals with measurements among `limit` from `since` on, or the last ones. */
function selectGrouped(series: Series, bind: Bind<SeriesQuery>): SQL {
  const { table, key } = series;
  const { timestamp } = table;
  // Drivers bind every number as a real one, whose division has no remainder.
  const ms = sql`CAST(${bind("ms")} AS INTEGER)`;
  const until = sql`coalesce(${bind("until")},
    (SELECT max(${timestamp}) + 1 FROM ${table} WHERE ${key} = ${bind("id")}))`;
  const first = sql`CAST(coalesce(${bind("since")} / ${ms},
    (${until} - 1) / ${ms} - ${bind("limit")} + 1) AS INTEGER)`;
  return sql`SELECT ${timestamp} / ${ms} * ${ms} AS "timestamp",
      ${renderColumns(groupColumns(series))}
    FROM ${table} WHERE ${key} = ${bind("id")}
    AND ${timestamp} >= ${first} * ${ms}
    AND ${timestamp} < min(${until}, (${first} + ${bind("limit")}) * ${ms})
    GROUP BY 1 ORDER BY 1`;
}

function renderColumns(columns: ReturnType<typeof rowColumns>): SQL {
  return sql.join(
    columns.map(({ column, value }) =>
      sql`${value} AS ${sql.identifier(column.name)}`
    ),
    sql`, `,
  );
}
