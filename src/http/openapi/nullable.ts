/** Any JSON value. */
type Json =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Json[]
  | { readonly [name: string]: Json };

/**
 * Corrects references to named schemas that may be null.
 *
 * The generator writes `{ allOf: [{ $ref }, { type: ["object", "null"] }] }`, which allows no null, because the named
 * schema rejects it. It becomes `{ anyOf: [{ $ref }, { type: "null" }] }`.
 */
export function withNulls(document: object): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(document, (_name, value: Json) => correctSchema(value)),
  );
}

function correctSchema(value: Json): Json {
  if (!isObject(value) || !Array.isArray(value["allOf"])) return value;
  const [named, other, ...more] = value["allOf"];
  const isMeant = more.length === 0 && isObject(named) && "$ref" in named &&
    isObject(other) && Array.isArray(other["type"]) &&
    other["type"].includes("null");
  if (!isMeant) return value;
  const { allOf: _, ...rest } = value;
  const { type: __, ...said } = other;
  return { ...rest, ...said, anyOf: [named, { type: "null" }] };
}

function isObject(
  value: Json,
): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
