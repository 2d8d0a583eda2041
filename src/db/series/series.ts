/**
 * Measurements over time, in a table with a row for each. Once they are old, those of a minute become one row.
 *
 * ```text
 * measurement (span_seconds 0) -- an hour --> a minute (span_seconds 60, samples n) -- retention --> deleted
 * ```
 *
 * @module
 */
import { type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";

/** A table of measurements. */
export interface Series {
  readonly table: SQLiteTable & {
    readonly seq: SQLiteColumn;
    readonly samples: SQLiteColumn;
    readonly spanSeconds: SQLiteColumn;
    readonly timestamp: SQLiteColumn;
  };
  /** Id of what is measured. */
  readonly key: SQLiteColumn;
  /** Values of which a minute keeps the mean. */
  readonly means: readonly SQLiteColumn[];
  /** Values, and the columns for their maximum, which are null in the row of one measurement. */
  readonly maxima: readonly (readonly [
    value: SQLiteColumn,
    max: SQLiteColumn,
  ])[];
  /** Values that only grow, of which a minute keeps the last one. */
  readonly counters: readonly SQLiteColumn[];
}

/** A column, and SQL for its value. */
export interface ColumnValue {
  readonly column: SQLiteColumn;
  readonly value: SQL;
}

/** Returns the columns of a row that stands for several, without key and time. */
export function groupColumns(
  { table: { samples }, means, maxima, counters }: Series,
): readonly ColumnValue[] {
  return [
    ...means.map((column) => ({
      column,
      value: sql`sum(${column} * ${samples})
        / sum(iif(${column} IS NULL, NULL, ${samples}))`,
    })),
    ...maxima.map(([value, column]) => ({
      column,
      value: sql`max(coalesce(${column}, ${value}))`,
    })),
    ...counters.map((column) => ({ column, value: sql`max(${column})` })),
    { column: samples, value: sql`sum(${samples})` },
  ];
}

/** Returns the columns of a row, without key and time. The maximum of one measurement is its value. */
export function rowColumns(
  { table: { samples }, means, maxima, counters }: Series,
): readonly ColumnValue[] {
  return [
    ...[...means, ...counters, samples].map((column) => ({
      column,
      value: sql`${column}`,
    })),
    ...maxima.map(([value, column]) => ({
      column,
      value: sql`coalesce(${column}, ${value})`,
    })),
  ];
}
