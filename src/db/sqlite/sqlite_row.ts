import type { Row } from "@libsql/client";
import type { SQLOutputValue } from "node:sqlite";

/** Key of a row's values by position. */
const VALUES = Symbol("values");

/** Creates a row from the values of a statement's columns. */
export type MakeRow = (values: readonly SQLOutputValue[]) => Row;

/**
 * Returns a function that creates rows like the libSQL client's: enumerable members by name, and all values by
 * position.
 *
 * Positions are read through the rows' prototype, so that a row costs no more than its members.
 */
export function createRowMaker(columns: readonly string[]): MakeRow {
  const prototype = Object.create(null, {
    length: { value: columns.length },
    ...Object.fromEntries(columns.map((_, at) => [at, positionAt(at)])),
  });
  // Of two columns with one name the first wins; of a column and a position, such as "1", the position.
  const positions = [...new Set(columns)].flatMap((name) =>
    name in prototype ? [] : [[name, columns.indexOf(name)] as const]
  );
  return function makeRow(values) {
    const row = Object.create(prototype);
    Object.defineProperty(row, VALUES, { value: values });
    for (const [name, at] of positions) row[name] = values[at];
    return row;
  };
}

/** Returns the values of a row by position: of a row of this module without its getters. */
export function readValues(row: Row): ArrayLike<unknown> {
  return Reflect.get(row, VALUES) ?? row;
}

function positionAt(at: number): PropertyDescriptor {
  return {
    get(this: { readonly [VALUES]: readonly SQLOutputValue[] }) {
      return this[VALUES][at];
    },
  };
}
