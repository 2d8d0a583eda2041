/**
 * Values for a JSON Schema, by fast-check: valid ones, and ones made to break their reader.
 *
 * It supports the part of JSON Schema that occurs in `/openapi.json`, and fails on any other.
 *
 * @module
 */
import fc from "fast-check";
import type { DescribedApi, JsonSchema } from "./api_document.ts";

/** Context of a generator in addition to the schema. */
export interface ValueOptions {
  readonly follow: DescribedApi["follow"];
  /** Values for members of these names: ids that exist, and what has to fit together. */
  readonly known: Readonly<Record<string, readonly unknown[]>>;
}

const MOST_ITEMS = 3;

const anyJson = fc.jsonValue({ maxDepth: 3, stringUnit: "grapheme" });

/** Values that `schema` allows. */
export function allowed(
  schema: JsonSchema,
  options: ValueOptions,
): fc.Arbitrary<unknown> {
  const plain = options.follow(schema);
  if (plain !== schema) return allowed(plain, options);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  const choices = schema.oneOf ?? schema.anyOf;
  if (Array.isArray(choices)) {
    return fc.oneof(...choices.map((each) => allowed(each, options)));
  }
  const types = [schema.type ?? "any"].flat();
  return fc.oneof(
    ...types.map((type) => ofType(String(type), schema, options)),
  );
}

function ofType(
  type: string,
  schema: JsonSchema,
  options: ValueOptions,
): fc.Arbitrary<unknown> {
  switch (type) {
    case "any":
      return anyJson;
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer(
        limits(schema, { min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }),
      );
    case "number":
      return fc.double({
        noNaN: true,
        noDefaultInfinity: true,
        minExcluded: schema.exclusiveMinimum !== undefined,
        ...limits(schema, { min: -1e308, max: 1e308 }),
      });
    case "string":
      return text(schema);
    case "array":
      return fc.uniqueArray(allowed(part(schema.items), options), {
        selector: readIdentity,
        maxLength: Math.min(MOST_ITEMS, Number(schema.maxItems ?? MOST_ITEMS)),
      });
    case "object":
      return object(schema, options);
    default:
      throw new RangeError(`Cannot make a value of type "${type}"`);
  }
}

function part(schema: unknown): JsonSchema {
  return typeof schema === "object" && schema !== null ? { ...schema } : {};
}

function limits(
  { minimum, maximum, exclusiveMinimum }: JsonSchema,
  widest: { readonly min: number; readonly max: number },
): { readonly min: number; readonly max: number } {
  return {
    min: Number(minimum ?? exclusiveMinimum ?? widest.min),
    max: Number(maximum ?? widest.max),
  };
}

function text(schema: JsonSchema): fc.Arbitrary<string> {
  const { format, pattern, minLength = 0, maxLength = Infinity } = schema;
  if (format === "uuid") return fc.uuid();
  if (format === "uri") return fc.webUrl();
  if (format === "date-time") {
    // RFC 3339: the year has four digits.
    const min = new Date("0000-01-01T00:00:00Z");
    const max = new Date("9999-12-31T23:59:59Z");
    return fc.date({ noInvalidDate: true, min, max })
      .map((date) => date.toISOString());
  }
  const { pattern: forbidden } = part(schema.not);
  if (typeof forbidden === "string") {
    const isForbidden = new RegExp(forbidden);
    return text({ ...schema, not: undefined }).filter((made) =>
      !isForbidden.test(made)
    );
  }
  if (typeof pattern === "string") return matching(pattern, schema);
  return fc.string({
    unit: "grapheme",
    minLength: Number(minLength),
    maxLength: Math.min(40, Number(maxLength)),
  }).filter((made) =>
    made.trim().length >= Number(minLength) &&
    // The server counts in units of UTF-16, JSON Schema in characters.
    made.length <= Number(maxLength)
  );
}

/** Patterns with assertions cannot be generated; their examples, or words, stand for them. */
function matching(
  pattern: string,
  { examples, example }: JsonSchema,
): fc.Arbitrary<string> {
  const known = [examples, example].flat().filter((each) => each !== undefined);
  if (known.length > 0) return fc.constantFrom(...known.map(String));
  return pattern.includes("(?!")
    ? fc.uuid()
    : fc.stringMatching(new RegExp(pattern));
}

function object(
  schema: JsonSchema,
  options: ValueOptions,
): fc.Arbitrary<unknown> {
  // A read-only member has one valid value, which no document contains.
  const properties = Object.entries(part(schema.properties)).filter((
    [, member],
  ) => part(member).readOnly !== true);
  const required = Array.isArray(schema.required) ? schema.required : [];
  const fixed = fc.record(
    Object.fromEntries(
      properties.map((
        [name, each],
      ) => [name, member(name, part(each), options)]),
    ),
    { requiredKeys: required },
  );
  if (properties.length > 0 || schema.additionalProperties === false) {
    return fixed;
  }
  return fc.dictionary(
    text(part(schema.propertyNames)).filter((name) => name !== "__proto__"),
    allowed(part(schema.additionalProperties), options),
    { maxKeys: MOST_ITEMS, noNullPrototype: true },
  );
}

/** Two items about one session are refused. */
function readIdentity(item: unknown): string {
  const { session_id } = part(item);
  return typeof session_id === "string" ? session_id : JSON.stringify(item);
}

function member(
  name: string,
  schema: JsonSchema,
  options: ValueOptions,
): fc.Arbitrary<unknown> {
  const known = options.known[name];
  return known ? fc.constantFrom(...known) : allowed(schema, options);
}

/** An array in an array, `depth` times. */
function nested(depth: number): unknown {
  return JSON.parse("[".repeat(depth) + "]".repeat(depth));
}

const HOSTILE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  1e308,
  5e-324,
  "",
  " ",
  "\0",
  "\ud800",
  "a\udfffb",
  "\u202e\ufeff",
  "%00%2e%2e%2f",
  "' OR 1=1; --",
  "../../etc/passwd",
  "x".repeat(40_000),
  "💥".repeat(2_000),
  "2026-13-45T99:99:99Z",
  "1e400",
  [],
  {},
  { constructor: { prototype: {} } },
  JSON.parse('{"__proto__":{"admin":true}}'),
];

/** Values that break programs: limits of numbers, odd text, wrong types, names with a meaning. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: "binary" }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  anyJson,
  fc.constantFrom(40, 1_500).map(nested),
);

/** A body that `schema` allows, with one thing changed in it: replaced, taken out or added. */
export function broken(
  schema: JsonSchema,
  options: ValueOptions,
): fc.Arbitrary<unknown> {
  return fc.tuple(allowed(schema, options), hostile, fc.nat(), fc.nat(9))
    .map(([value, change, place, kind]) =>
      kind === 0 ? change : changed(value, { change, place, kind })
    );
}

interface Change {
  readonly change: unknown;
  readonly place: number;
  readonly kind: number;
}

function changed(value: unknown, how: Change): unknown {
  if (typeof value !== "object" || value === null) return how.change;
  const entries = Object.entries(value);
  const at = how.place % (entries.length + 1);
  const chosen = entries[at];
  if (!chosen) return { ...value, [`extra${how.kind}`]: how.change };
  const [name, old] = chosen;
  const deeper = {
    ...how,
    place: Math.floor(how.place / (entries.length + 1)),
  };
  const made = how.kind === 1
    ? undefined
    : how.kind < 6
    ? how.change
    : changed(old, deeper);
  if (Array.isArray(value)) return value.with(at, made);
  return { ...value, [name]: made };
}
