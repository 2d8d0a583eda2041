import { z } from "@hono/zod-openapi";

/**
 * The parsed value of a zod schema, like `z.output`. It names no type of zod, so that documentation tools can show it.
 */
export type SchemaOutput<S> = S extends
  { readonly _zod: { readonly output: infer Value } } ? Value : never;

/** The value that a zod schema accepts, like `z.input`. */
export type SchemaInput<S> = S extends
  { readonly _zod: { readonly input: infer Value } } ? Value : never;

/** Levels of objects and arrays in JSON that is stored. SQLite unpacks no more than 1,000. */
const JSON_DEPTH = 32;

/** Reports whether the database returns text unchanged: it has no NUL and no unpaired surrogate. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

/** Schema of stored text. Rejects text that the database would not return unchanged. */
export function textSchema(): z.ZodString {
  return z.string().refine(
    isStorable,
    "expected text without NUL characters and halves of surrogate pairs",
  );
}

/** Schema of a JSON object that is stored unchanged, nested at most {@linkcode JSON_DEPTH} deep. */
export function jsonObjectSchema(): z.ZodRecord<z.ZodString, z.ZodUnknown> {
  return z.record(z.string(), z.unknown()).refine(
    (value) => isNestedWithin(value, JSON_DEPTH),
    {
      error: `expected at most ${JSON_DEPTH} levels of objects and arrays`,
      // Later checks may fail on deeper values.
      abort: true,
    },
  );
}

/** As {@linkcode jsonObjectSchema}, with every text as in {@linkcode textSchema}. */
export function storableObjectSchema(): z.ZodRecord<z.ZodString, z.ZodUnknown> {
  return jsonObjectSchema().refine(
    (value) => isStorableWithin(value, JSON_DEPTH),
    "expected text without NUL characters and halves of surrogate pairs",
  );
}

function isNestedWithin(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 &&
    Object.values(value).every((each) => isNestedWithin(each, depth - 1));
}

/** Reports whether all text is storable. Values deeper than `depth` are rejected elsewhere and not checked. */
function isStorableWithin(value: unknown, depth: number): boolean {
  if (typeof value === "string") return isStorable(value);
  if (typeof value !== "object" || value === null || depth === 0) return true;
  return Object.entries(value).every(([name, each]) =>
    isStorable(name) && isStorableWithin(each, depth - 1)
  );
}
