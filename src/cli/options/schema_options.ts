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
import { z } from "zod";
import { UsageError } from "../exit.ts";
import {
  isSecret,
  listSecretOptions,
} from "../../core/provider/secret_options.ts";
import { PARSED_ONCE, renderIssue } from "../../core/schema.ts";
import { readFileValue } from "./file_value.ts";
import {
  OBJECTS_FORM,
  RECORD_FORM,
  toStructuredInput,
} from "./structured_value.ts";

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
      isSecret: isSecret(member),
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
  const parsed = schema.safeParse(toInput(schema, values), PARSED_ONCE);
  if (parsed.success) return parsed.data;
  const secrets = listSecrets(schema);
  const faults = parsed.error.issues.map((issue) => {
    const path = issue.path.map(String);
    const at = path.findIndex((key) => !isInline(schema.shape[key]));
    const [name = "", ...inner] = at < 0 ? [] : path.slice(at);
    const text = secrets.has(name)
      ? ""
      : renderValue(values[toAttribute(name)]);
    const place = inner.length === 0 ? "" : ` ${inner.join(".")}:`;
    return `${toFlag(name)}${text}:${place} ${explainIssue(issue)}`;
  });
  throw new UsageError(`Cannot use ${faults.join("; ")}`);
}

/** Returns the message of an issue. Where text was not readable as JSON, it says which forms are accepted. */
function explainIssue(issue: z.core.$ZodIssue): string {
  const { expected } = issue.code === "invalid_type" ? issue : {};
  switch (expected) {
    case "record":
      return `expected ${RECORD_FORM}`;
    case "object":
      return `expected ${OBJECTS_FORM}`;
    default:
      return renderIssue(issue);
  }
}

/** Returns the text of an option for a message. */
function renderValue(value: unknown): string {
  if (typeof value === "string") return ` "${value}"`;
  return Array.isArray(value) ? ` "${value.join(" ")}"` : "";
}

function listSecrets(schema: z.ZodObject): ReadonlySet<string> {
  const inner = Object.values(schema.shape).filter(isInline);
  return new Set([schema, ...inner].flatMap(listSecretOptions));
}

/**
 * Returns the values by member name, unchecked. Those of options that are absent are left out.
 *
 * @param values By attribute name, as commander returns them.
 * @throws {UsageError} If the file of a secret cannot be read.
 */
export function toInput(
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

/** Reads a secret from a file, and a value of a provider's schema as {@linkcode toStructuredInput} does. */
function toMemberInput(member: z.core.$ZodType, value: unknown): unknown {
  if (isSecret(member) && typeof value === "string") {
    return readFileValue(value);
  }
  return hasFlags(member) ? value : toStructuredInput(member, value);
}

function declareOption(
  name: string,
  property: z.core.JSONSchema.JSONSchema,
  { isRequired, isSecret }: {
    readonly isRequired: boolean;
    readonly isSecret: boolean;
  },
): Option {
  const { type, description = "", enum: choices } = property;
  const { flags, suggestions } = metaSchema.parse(property, PARSED_ONCE);
  const isSwitch = type === "boolean" && flags !== undefined;
  const required = isRequired && flags === undefined ? " (required)" : "";
  const preset = isSwitch ? "" : renderDefault(property.default);
  const secret = isSecret ? "; @FILE reads it from a file" : "";
  const option = new Option(
    flags ?? `${toFlag(name)} ${toPlaceholder(property)}`,
    description + secret + required + preset,
  );
  option.makeOptionMandatory(isRequired);
  if (choices) option.choices(choices.map(String));
  else if (suggestions) option.argChoices = suggestions;
  // Shown and completed only: the schema decides.
  else if (type === "boolean" && !isSwitch) option.argChoices = BOOLEANS;
  return option;
}

const BOOLEANS = ["true", "false"];

function toPlaceholder(
  { type, additionalProperties: members }: z.core.JSONSchema.JSONSchema,
): string {
  switch (type) {
    case "boolean":
      return "[true|false]";
    case "array":
      return "<value...>";
    case "object":
      return typeof members === "object" && members.type === "string"
        ? "<name=value...>"
        : "<value>";
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
