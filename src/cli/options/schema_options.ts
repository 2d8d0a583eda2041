/**
 * Command-line options of a zod schema.
 *
 * The metadata of an option's schema has its `description`, its `flags` as commander takes them (`-e, --eval <code>`,
 * whose long name is the name of the member), and `suggestions`: usual values, which are shown and completed while
 * others are accepted. It is declared last, or zod loses it. Without flags the name makes them: `shm_size` becomes
 * `--shm-size <value>`.
 *
 * @module
 */
import { Option } from "commander";
import { z } from "@hono/zod-openapi";
import { UsageError } from "../exit.ts";

/** Metadata of a member that is an object whose own members are options, such as a provider's configuration. */
export const INLINE = { inline: true } as const;

/** The metadata of an option that JSON Schema does not know. */
const metaSchema = z.object({
  flags: z.string().optional(),
  suggestions: z.array(z.string()).optional(),
});

/** Returns the options of a schema, in the order of its members. */
export function declareOptions(schema: z.ZodObject): readonly Option[] {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return Object.entries(schema.shape).flatMap(([name, member]) => {
    if (isInline(member)) return declareOptions(member);
    const property = json.properties?.[name];
    return declareOption(name, typeof property === "object" ? property : {}, {
      isRequired: json.required?.includes(name) ?? false,
    });
  });
}

/** Returns the name of the member whose option has these flags: `shm_size` of `--shm-size <value>`. */
export function toOptionName(flags: string): string {
  return new Option(flags).name().replaceAll("-", "_");
}

/** Returns the flags of the options that a command cannot do without. */
export function listRequiredFlags(schema: z.ZodObject): readonly string[] {
  return declareOptions(schema).filter(({ mandatory }) => mandatory).flatMap(
    ({ long }) => long ?? [],
  );
}

/**
 * Parses the options of a command line.
 *
 * @param values By attribute name, as commander returns them.
 * @throws {UsageError} If a value is not what the schema accepts.
 */
export function parseOptions<S extends z.ZodObject>(
  schema: S,
  values: Readonly<Record<string, unknown>>,
): z.output<S> {
  const parsed = schema.safeParse(toInput(schema, values));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => {
    const name = path.map(String).find((key) => !isInline(schema.shape[key])) ??
      "";
    const value = values[toAttribute(name)];
    const text = typeof value === "string" ? ` "${value}"` : "";
    return `${toFlag(name)}${text}: ${message}`;
  });
  throw new UsageError(`Cannot use ${faults.join("; ")}`);
}

/** Returns the values by member name. Those of options that are absent are left out. */
function toInput(
  schema: z.ZodObject,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const entries = Object.entries(schema.shape).flatMap(([name, member]) => {
    if (isInline(member)) return [[name, toInput(member, values)]];
    const value = values[toAttribute(name)];
    return value === undefined ? [] : [[name, toMemberInput(member, value)]];
  });
  return Object.fromEntries(entries);
}

/** Reads JSON where a member of a provider's schema does not accept text. */
function toMemberInput(member: z.core.$ZodType, value: unknown): unknown {
  const isText = typeof value !== "string" || hasFlags(member) ||
    z.safeParse(member, value).success;
  if (isText) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function declareOption(
  name: string,
  property: z.core.JSONSchema.JSONSchema,
  { isRequired }: { readonly isRequired: boolean },
): Option {
  const { type, description = "", enum: choices } = property;
  const { flags, suggestions } = metaSchema.parse(property);
  const isSwitch = type === "boolean" && flags !== undefined;
  const required = isRequired && flags === undefined ? " (required)" : "";
  const preset = isSwitch ? "" : renderDefault(property.default);
  const option = new Option(
    flags ?? `${toFlag(name)} ${toPlaceholder(type)}`,
    description + required + preset,
  );
  option.makeOptionMandatory(isRequired);
  if (choices) option.choices(choices.map(String));
  else if (suggestions) option.argChoices = suggestions;
  // Shown and completed only: the schema decides.
  else if (type === "boolean" && !isSwitch) option.argChoices = BOOLEANS;
  return option;
}

const BOOLEANS = ["true", "false"];

function toPlaceholder(type: unknown): string {
  switch (type) {
    case "boolean":
      return "[true|false]";
    case "array":
      return "<value...>";
    default:
      return "<value>";
  }
}

function isInline(member: unknown): member is z.ZodObject {
  return member instanceof z.ZodObject && member.meta()?.inline === true;
}

function hasFlags(member: z.core.$ZodType): boolean {
  return z.globalRegistry.get(member)?.flags !== undefined;
}

function toFlag(name: string): string {
  return `--${name.replaceAll("_", "-")}`;
}

/** Returns the name by which commander keeps the value of an option. */
function toAttribute(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function renderDefault(value: unknown): string {
  const isEmpty = value === undefined || Array.isArray(value) && !value.length;
  return isEmpty ? "" : ` (default: ${JSON.stringify(value)})`;
}
