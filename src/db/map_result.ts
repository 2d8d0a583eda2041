import type { ResultSet } from "@libsql/client";
import { Column, getTableName, is, SQL } from "drizzle-orm";
import { readValues } from "./sqlite/sqlite_row.ts";

/** The part of a built statement of the query builder that converts its result. */
export interface Mapping {
  mapResult(result: unknown, isFromBatch: boolean): unknown;
  /** The selected fields in the order of the result's columns. Absent for raw SQL. */
  readonly fields?: readonly SelectedField[] | undefined;
  readonly executeMethod?: string;
  readonly customResultMapper?: unknown;
  /** By the names of the selected tables, whether a join always finds a row of it. */
  readonly joinsNotNullableMap?: Readonly<Record<string, boolean>> | undefined;
}

/** A selected field, and its place in the object of a row. */
interface SelectedField {
  readonly path: readonly string[];
  readonly field: unknown;
}

/** Converts a value of the database. */
interface Decoder {
  mapFromDriverValue(value: unknown): unknown;
}

/** Results are those of the client, which the query builder expects of a batch. */
const IS_FROM_BATCH = true;

/**
 * Returns a function that converts the results of a statement as the query builder does.
 *
 * The query builder finds the conversion of each value again for each row. Here the conversions of plain objects are
 * found once; other results are left to the query builder.
 */
export function createResultMapper(
  built: Mapping,
): (result: ResultSet) => unknown {
  const members = built.executeMethod === "all" && !built.customResultMapper
    ? built.fields?.map((field) => toMember(field, built))
    : undefined;
  if (!members?.every((member) => member !== undefined)) {
    return (result) => built.mapResult(result, IS_FROM_BATCH);
  }
  return ({ rows }) =>
    rows.map((row) => {
      const values = readValues(row);
      const mapped: Record<string, unknown> = {};
      const inner: Record<string, Record<string, unknown>> = {};
      let at = 0;
      for (const { object, name, decoder } of members) {
        const value = values[at++];
        const target = object === undefined
          ? mapped
          : mapped[object] = inner[object] ??= {};
        target[name] = value === null
          ? null
          : decoder.mapFromDriverValue(value);
      }
      return mapped;
    });
}

/**
 * Returns the place and the conversion of a member; undefined if its value is binary or deeper than in one inner object,
 * or the inner object is null where a join finds no row.
 */
function toMember(
  { path, field }: SelectedField,
  { joinsNotNullableMap = {} }: Mapping,
) {
  const isBinary = is(field, Column) && field.dataType === "buffer";
  const decoder = findDecoder(field);
  const [name, object] = path.toReversed();
  const mayBeNull = object !== undefined && is(field, Column) &&
    !joinsNotNullableMap[getTableName(field.table)];
  return name === undefined || path.length > 2 || mayBeNull || isBinary ||
      !decoder
    ? undefined
    : { object, name, decoder };
}

function findDecoder(field: unknown): Decoder | undefined {
  if (is(field, Column)) return field;
  // Internal to the query builder, whose types omit it.
  if (is(field, SQL)) return Reflect.get(field, "decoder");
  return is(field, SQL.Aliased) ? findDecoder(field.sql) : undefined;
}
