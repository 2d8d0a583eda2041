import type { ApiFault } from "../../../client/client.ts";
import { isRecord } from "./is_record.ts";
import { findKind, isNullable, type JsonSchema } from "./json_schema.ts";

/** Values by the names of members. A member that is present and undefined is empty. */
export type Values = Readonly<Record<string, unknown>>;

/** Message at a field that must not be empty. */
const MISSING = "Required";

/** Returns the value without empty members; undefined if nothing is left. */
export function compact(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const entries = Object.entries(value)
    .map(([name, each]) => [name, compact(each)] as const)
    .filter(([, each]) => each !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Returns the body of a new record: the members that are set, and that differ from their defaults. */
export function buildNewBody(schema: JsonSchema, values: Values): Values {
  const entries = Object.entries(schema.properties ?? {}).flatMap(
    ([name, member]) => {
      const value = compact(values[name]);
      return value === undefined || isSame(value, member.default)
        ? []
        : [[name, value] as const];
    },
  );
  return Object.fromEntries(entries);
}

/** Returns the body of a change: the members whose values differ from those of the record. */
export function buildChanges(
  schema: JsonSchema,
  values: Values,
  current: Values,
): Values {
  const entries = Object.entries(schema.properties ?? {}).flatMap(
    ([name, member]) => {
      if (!Object.hasOwn(values, name)) return [];
      const value = compact(values[name]);
      if (isSame(value, compact(current[name] ?? undefined))) return [];
      return [[name, value === undefined ? clear(name, member) : value]];
    },
  );
  return Object.fromEntries(entries);
}

/** Returns the value by which a change empties a member. */
function clear(name: string, schema: JsonSchema): unknown {
  if (isNullable(schema)) return null;
  if (schema.default !== undefined) return schema.default;
  switch (findKind(name, schema)) {
    case "lines":
    case "objects":
      return [];
    case "map":
    case "object":
      return {};
    default:
      return "";
  }
}

/** Returns a fault for each required member that is empty. @param current Values of the record that is changed. */
export function findMissing(
  schema: JsonSchema,
  values: Values,
  current: Values,
  path: readonly string[] = [],
): readonly ApiFault[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const isRequired = schema.required?.includes(name) ?? false;
    const value = Object.hasOwn(values, name)
      ? compact(values[name])
      : current[name] ?? member.default;
    const at = [...path, name];
    if (findKind(name, member) === "object") {
      const isUsed = value !== undefined && value !== null ||
        !isNullable(member);
      return isUsed
        ? findMissing(member, isRecord(value) ? value : {}, {}, at)
        : [];
    }
    return isRequired && (value === undefined || value === "")
      ? [{ path: at.join("."), message: MISSING }]
      : [];
  });
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Returns the messages of a member's faults. @param isWhole True if the faults of its own members belong to it too. */
export function listMessages(
  faults: readonly ApiFault[],
  path: string,
  { isWhole }: { readonly isWhole: boolean },
): readonly string[] {
  return faults.flatMap((fault) => {
    if (fault.path === path) return [fault.message];
    return isWhole && fault.path.startsWith(`${path}.`)
      ? [`${fault.path.slice(path.length + 1)}: ${fault.message}`]
      : [];
  });
}
