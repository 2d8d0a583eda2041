import type { z } from "@hono/zod-openapi";

/** `snake_case` as `snakeCase`. */
export type CamelCase<S extends string> = S extends `${infer A}_${infer B}`
  ? `${A}${Capitalize<CamelCase<B>>}`
  : S;

/** Members of responses that are moments: milliseconds in columns, ISO 8601 text in responses. */
type MomentName = `${string}_at` | `${string}_since`;

const MOMENT_NAME = /_(at|since)$/;

/** The columns from which a response of type `W` derives. */
export type ColumnsOf<W> = {
  readonly [K in keyof W & string as CamelCase<K>]: K extends MomentName
    ? number | Extract<W[K], null>
    : Column<W[K]>;
};

/** A list in a column is not modified. */
type Column<V> = V extends (infer E)[] ? readonly E[] : V;

/** Returns a function that renders the columns of a row as a response with the members of `schema`. */
export function createRowRenderer<S extends z.ZodObject>(
  schema: S,
): (row: ColumnsOf<z.infer<S>>) => z.infer<S> {
  const members = Object.keys(schema.shape).map((name) => ({
    name,
    column: toCamelCase(name),
    isMoment: MOMENT_NAME.test(name),
  }));
  return function renderRow(row) {
    const columns: Readonly<Record<string, unknown>> = row;
    const wire = Object.create(Object.prototype);
    for (const { name, column, isMoment } of members) {
      const value = columns[column];
      wire[name] = isMoment && typeof value === "number"
        ? toIsoTime(value)
        : value;
    }
    return wire;
  };
}

/** Returns the columns of a request without moments. */
export function toColumns<W extends object>(input: W): ColumnsOf<W> {
  const entries: readonly (readonly unknown[])[] = Object.entries(input).map((
    [name, value],
  ) => [toCamelCase(name), value]);
  return Object.fromEntries(entries);
}

/** Returns a moment as responses contain it. */
export function toIsoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Returns the name of the column for a member of a request or response. */
export function toCamelCase(name: string): string {
  return name.replace(
    /_([a-z])/g,
    (_, letter: string) => letter.toUpperCase(),
  );
}
