import { isNullable, type JsonSchema } from "./json_schema.ts";

/** Returns the schema with these values as the only ones of some members, such as the names of pools. */
export function withChoices(
  schema: JsonSchema,
  choices: Readonly<Record<string, readonly string[]>>,
): JsonSchema {
  const changed = Object.entries(choices).flatMap(([name, values]) => {
    const member = schema.properties?.[name];
    if (!member) return [];
    const empty = isNullable(member) ? [null] : [];
    return [[name, { ...member, enum: [...values, ...empty] }] as const];
  });
  return {
    ...schema,
    properties: { ...schema.properties, ...Object.fromEntries(changed) },
  };
}
