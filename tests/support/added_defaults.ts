import {
  requestedFields,
} from "../../src/apps/sessions/schemas/requested_fields.ts";
import type { SessionField } from "../../src/apps/sessions/schemas/field.ts";

/**
 * Adds the declared defaults of fields that `known` does not name, so that a test of all fields states those that it
 * knows and still compares the whole record after a field was added.
 */
export function withAddedDefaults(
  known: Readonly<Record<string, unknown>>,
  rename: (name: string) => string = (name) => name,
): Readonly<Record<string, unknown>> {
  const added = Object.entries<SessionField>(requestedFields)
    .filter(([, field]) => "default" in field)
    .map(([name, field]) => [rename(name), field.default] as const)
    .filter(([name]) => !(name in known));
  return { ...Object.fromEntries(added), ...known };
}
