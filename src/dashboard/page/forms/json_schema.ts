import { isRecord } from "./is_record.ts";

/** The keywords of JSON Schema from which forms are made. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  /** Tells schemas under the same name apart. */
  readonly title?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly readOnly?: boolean;
  /** Declared by secret options of providers. */
  readonly secret?: boolean;
}

/** Kinds of controls. `json` is for what no other one can show. */
export type Kind =
  | "text"
  | "area"
  | "secret"
  | "moment"
  | "number"
  | "boolean"
  | "choice"
  | "lines"
  | "map"
  | "object"
  | "objects"
  | "scalar"
  | "json";

/** Length from which a text gets several lines. */
const AREA_LENGTH = 1_000;

/** Names of texts that are never shown. */
const SECRET_NAME = /(^|_)(password|secret)$/;

/** Returns the types of a value, without null. */
function listTypes({ type = [] }: JsonSchema): readonly string[] {
  return [type].flat().filter((each) => each !== "null");
}

/** Reports whether the value may be null. */
export function isNullable(schema: JsonSchema): boolean {
  return [schema.type ?? []].flat().includes("null") ||
    (schema.enum?.includes(null) ?? false);
}

/** Returns the control of a member. */
export function findKind(name: string, schema: JsonSchema): Kind {
  if (schema.enum) return "choice";
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) {
    return alternatives.every(isScalar) ? "scalar" : "json";
  }
  const [type] = listTypes(schema);
  switch (type) {
    case "boolean":
      return "boolean";
    case "integer":
    case "number":
      return "number";
    case "string":
      return findTextKind(name, schema);
    case "array":
      return findListKind(name, schema.items ?? {});
    case "object":
      return findObjectKind(schema);
    default:
      return "json";
  }
}

function findTextKind(name: string, schema: JsonSchema): Kind {
  if (schema.secret || SECRET_NAME.test(name)) return "secret";
  if (schema.format === "date-time") return "moment";
  const isLong = (schema.maxLength ?? 0) >= AREA_LENGTH;
  return isLong && !schema.format && !schema.pattern ? "area" : "text";
}

function findListKind(name: string, items: JsonSchema): Kind {
  if (mergeAlternatives(items).properties) return "objects";
  return findKind(name, items) === "text" ? "lines" : "json";
}

function findObjectKind(
  { properties = {}, additionalProperties }: JsonSchema,
): Kind {
  if (Object.keys(properties).length > 0) return "object";
  return typeof additionalProperties === "object" &&
      listTypes(additionalProperties)[0] === "string"
    ? "map"
    : "json";
}

function isScalar(schema: JsonSchema): boolean {
  return [schema.type ?? []].flat().every((type) =>
    ["string", "number", "integer", "boolean", "null"].includes(type)
  );
}

/** Returns one object with the members of all alternatives, if the schema is a choice of objects. */
export function mergeAlternatives(schema: JsonSchema): JsonSchema {
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (!alternatives?.every(({ properties }) => properties)) return schema;
  const names = new Set(
    alternatives.flatMap(({ properties = {} }) => Object.keys(properties)),
  );
  const properties = [...names].map((name) => {
    const all = alternatives.flatMap(({ properties }) =>
      properties?.[name] ?? []
    );
    return [name, mergeMembers(all)] as const;
  });
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    required: [...names].filter((name) =>
      alternatives.every(({ required }) => required?.includes(name))
    ),
  };
}

function mergeMembers(all: readonly JsonSchema[]): JsonSchema {
  const [first = {}] = all;
  if (all.every((each) => each.enum)) {
    return { ...first, enum: all.flatMap((each) => each.enum ?? []) };
  }
  const isSame = all.every((each) =>
    JSON.stringify(each) === JSON.stringify(first)
  );
  return isSame
    ? first
    : { anyOf: all.flatMap((each) => each.anyOf ?? [{ ...each }]) };
}

/** Returns the schema without references, of which recursive ones end. @param root Document with the schemas. */
export function resolveReferences(
  schema: JsonSchema,
  root: unknown,
  depth = 12,
): JsonSchema {
  if (depth === 0) return {};
  const source = schema.$ref === undefined
    ? schema
    : findReferenced(root, schema.$ref);
  const resolve = (each: JsonSchema) =>
    resolveReferences(each, root, depth - 1);
  const { properties, items, anyOf, oneOf, additionalProperties } = source;
  return {
    ...source,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map((
          [name, each],
        ) => [name, resolve(each)]),
      ),
    }),
    ...(items && { items: resolve(items) }),
    ...(anyOf && { anyOf: anyOf.map(resolve) }),
    ...(oneOf && { oneOf: oneOf.map(resolve) }),
    ...(typeof additionalProperties === "object" && {
      additionalProperties: resolve(additionalProperties),
    }),
  };
}

function findReferenced(root: unknown, reference: string): JsonSchema {
  const found = reference.split("/").slice(1).reduce<unknown>(
    (at, name) => isRecord(at) ? at[name] : undefined,
    root,
  );
  return isRecord(found) ? found : {};
}

/** Returns the texts among which a pattern chooses, as suggestions: `a.b` and `a.*` of `^(a\.b|a\.\*|x\d+)$`. */
export function listAlternatives({ pattern = "" }: JsonSchema): string[] {
  const [, choices = ""] = /^\^\((.*)\)\$$/.exec(pattern) ?? [];
  return choices.split("|")
    .filter((choice) => /^(\w|:|\\[.*])+$/.test(choice))
    .map((choice) => choice.replaceAll("\\", ""));
}
