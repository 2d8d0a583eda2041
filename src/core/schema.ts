import { z } from "zod";

/**
 * The parsed value of a zod schema, like `z.output`. It names no type of zod, so that documentation tools can show it.
 */
export type SchemaOutput<S> = S extends
  { readonly _zod: { readonly output: infer Value } } ? Value : never;

/** The value that a zod schema accepts, like `z.input`. */
export type SchemaInput<S> = S extends
  { readonly _zod: { readonly input: infer Value } } ? Value : never;

/** Parameter of a parse that happens once: compiling the schema would take longer than the parse. */
export const PARSED_ONCE = { jitless: true } as const;

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

/** Memory as people write it: `512M`, `2G`, `1.5Gi`; a bare number is bytes. */
export const memorySchema = z.string().refine(
  (text) => parseMemory(text) !== undefined,
  "expected a number with K, M, G or T, such as 512M or 2G, from 64M to 1T",
).meta({
  description: "Memory from 64M to 1T, in powers of 1024: 512M, 2G, 1.5Gi",
  pattern: String.raw`^\s*\d+(\.\d+)?\s*[KMGTkmgt]?[Ii]?[Bb]?\s*$`,
  examples: ["2G"],
});

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

/**
 * Returns the bytes of `"2G"`, `"512m"`, `"1.5Gi"` or `"64MB"` (powers of 1024); undefined if the text has another form or
 * is not between 64M and 1T.
 */
export function parseMemory(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b?)$/i.exec(text.trim());
  if (!match) return undefined;
  const [, amount = "", unit = ""] = match;
  const bytes = Math.floor(Number(amount) * (UNITS[unit.toLowerCase()] ?? NaN));
  return bytes >= 64 * 2 ** 20 && bytes <= 2 ** 40 ? bytes : undefined;
}

/** Maximum number of unknown names in a message. */
const MAX_NAMES = 20;

/** Returns the message of an issue. For an invalid name in a record it is the message of the key's schema. */
export function renderIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_key":
      return issue.issues.map(renderIssue).join("; ");
    case "unrecognized_keys":
      // Other messages have named what the schema knows.
      return issue.message.startsWith("Unrecognized key")
        ? issue.keys.slice(0, MAX_NAMES).map((key) => `unknown name "${key}"`)
          .join("; ")
        : issue.message;
    default:
      return issue.message.replace(GENERIC, "").replace(MISSING, "is missing");
  }
}

/** The start of messages of zod that says nothing about the value. */
const GENERIC = /^Invalid (input|option): (?=expected )/;

/** The message of zod for an absent member, without {@linkcode GENERIC}. */
const MISSING = /^expected .*, received undefined$/;
