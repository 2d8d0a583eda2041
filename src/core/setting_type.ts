import { z } from "@hono/zod-openapi";

/** What a value of `schema` looks like, for people: `whole number, 0–65535`, `true or false`, `one of text, json`. */
export function settingType(schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, { io: "output", unrepresentable: "any" });
  if (json.enum) return `one of ${json.enum.join(", ")}`;
  switch (json.type) {
    case "boolean":
      return "true or false";
    case "integer":
      return `whole number${limits(json)}`;
    case "number":
      return `number${limits(json)}`;
    case "array":
      return "list (JSON)";
    case "object":
      return "object (JSON)";
    default:
      return json.format === "uri" ? "URL" : "text";
  }
}

function limits(
  { minimum, maximum, exclusiveMinimum }: z.core.JSONSchema.BaseSchema,
): string {
  // What every whole number is below is no limit worth a word.
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`;
  if (minimum === undefined) return most === undefined ? "" : `, to ${most}`;
  return most === undefined ? `, from ${minimum}` : `, ${minimum} to ${most}`;
}
