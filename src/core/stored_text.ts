import { z } from "@hono/zod-openapi";

/** Levels of objects and arrays in JSON that is stored. SQLite unpacks no more than 1,000. */
const JSON_DEPTH = 32;

/** Whether text comes back from the database as it went in: it has no NUL and no half of a surrogate pair. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

/** Text that people write and the grid stores. What could not be given back as it came is refused. */
export function textSchema(): z.ZodString {
  return z.string().refine(
    isStorable,
    "expected text without NUL characters and halves of surrogate pairs",
  );
}

/** An object of any JSON, stored as it is: nested at most {@linkcode JSON_DEPTH} deep. */
export function jsonObjectSchema(): z.ZodRecord<z.ZodString, z.ZodUnknown> {
  return z.record(z.string(), z.unknown()).refine(
    (value) => isNestedWithin(value, JSON_DEPTH),
    {
      error: `expected at most ${JSON_DEPTH} levels of objects and arrays`,
      // Further checks may not stand what is deeper.
      abort: true,
    },
  );
}

/** As {@linkcode jsonObjectSchema}, written by people: every text in it is as {@linkcode textSchema} has it. */
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

/** What is deeper than `depth` is refused already for that, and not looked at. */
function isStorableWithin(value: unknown, depth: number): boolean {
  if (typeof value === "string") return isStorable(value);
  if (typeof value !== "object" || value === null || depth === 0) return true;
  return Object.entries(value).every(([name, each]) =>
    isStorable(name) && isStorableWithin(each, depth - 1)
  );
}
