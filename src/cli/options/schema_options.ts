import { Option } from "@commander-js/extra-typings";
import { z } from "@hono/zod-openapi";

/** One command-line option of a schema's member. */
interface SchemaOption {
  readonly name: string;
  readonly option: Option;
}

/** The options that stand for the members of `schema`: `--shm-size <value>`, with the member's description and default. */
export function optionsOfSchema(schema: z.ZodObject): readonly SchemaOption[] {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return Object.entries(json.properties ?? {}).map(([name, member]) => {
    const flag = flagOf(name);
    const property = typeof member === "object" ? member : {};
    const { type, description = "", enum: choices } = property;
    const suffix = type === "boolean"
      ? ` [true|false]`
      : type === "array"
      ? " <value...>"
      : " <value>";
    const required = json.required?.includes(name) ? " (required)" : "";
    const option = new Option(
      flag + suffix,
      `${description}${required}${defaultText(property.default)}`,
    );
    if (choices) option.choices(choices.map(String));
    // Shown and completed only: the schema judges.
    else if (type === "boolean") option.argChoices = ["true", "false"];
    return { name, option };
  });
}

/** Flags of the members that must be given. */
export function requiredOptions(schema: z.ZodObject): readonly string[] {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return (json.required ?? []).map(flagOf);
}

function flagOf(name: string): string {
  return `--${name.replaceAll("_", "-")}`;
}

/** The values given for `schema`'s options, as the schema takes them. @param given By camelCase name, as commander gives them. */
export function valuesOfSchema(
  schema: z.ZodObject,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const entries = Object.keys(schema.shape).flatMap((name) => {
    const camel = name.replace(
      /_(\w)/g,
      (_, letter: string) => letter.toUpperCase(),
    );
    const value = given[camel];
    return value === undefined ? [] : [[name, typed(schema, name, value)]];
  });
  return Object.fromEntries(entries);
}

/** Text that the member takes as it is stays text; else what it means as JSON. */
function typed(schema: z.ZodObject, name: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  const member = schema.shape[name];
  if (member && z.safeParse(member, value).success) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function defaultText(value: unknown): string {
  const isEmpty = value === undefined || Array.isArray(value) && !value.length;
  return isEmpty ? "" : ` (default: ${JSON.stringify(value)})`;
}
