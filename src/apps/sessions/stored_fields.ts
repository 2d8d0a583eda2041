import type { SessionInput } from "./schemas.ts";
import { pickPart } from "../../http/declared_fields.ts";
import { requestedFields } from "./schemas/requested_fields.ts";
import { type CamelCase, toCamelCase } from "../../http/wire_form.ts";

const defaults = pickPart(requestedFields, "default");

type Defaults = typeof defaults;

/** Columns that are stored as requested. */
export type StoredFields = {
  readonly [K in keyof Defaults & keyof SessionInput as CamelCase<K>]:
    | Exclude<SessionInput[K], undefined>
    | Extract<Defaults[K], null>;
};

/** Returns the columns that the create body sets, with the default of each that it leaves out. */
export function resolveStoredFields(input: SessionInput): StoredFields {
  const requested = new Map<string, unknown>(Object.entries(input));
  const entries: readonly (readonly unknown[])[] = Object.entries(defaults)
    .map(([name, value]) => [
      toCamelCase(name),
      requested.get(name) ?? value,
    ]);
  return Object.fromEntries(entries);
}
