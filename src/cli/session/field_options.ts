import { Option } from "@commander-js/extra-typings";
import type { z } from "@hono/zod-openapi";
import type { FieldOption } from "../../http/declared_fields.ts";
import {
  findType,
  listMembers,
  type SessionField,
} from "../../apps/sessions/schemas/field.ts";
import { requestedFields } from "../../apps/sessions/schemas/requested_fields.ts";
import { parseScreen } from "../options/screen.ts";

/** An option that sets a field of a session, or a member of the field's object. */
interface SetOption {
  readonly field: string;
  readonly member?: string | undefined;
  readonly schema: z.ZodType;
  readonly option: Option;
}

/** Returns the options that set the fields of a session, in the order of the fields. */
export function createFieldOptions(): readonly SetOption[] {
  return Object.entries<SessionField>(requestedFields).flatMap(
    ([field, { input, options = [] }]) =>
      options.flatMap((declared) => {
        const { member } = declared;
        const schema = member && input ? listMembers(input)[member] : input;
        if (!schema) return [];
        return [{ field, member, schema, option: toOption(declared, schema) }];
      }),
  );
}

/** Returns the create body that options set. @param flags Values by the names that commander gives them. */
export function parseFieldOptions(
  options: readonly SetOption[],
  flags: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const { field, member, schema, option } of options) {
    const value = flags[option.attributeName()];
    if (value === undefined) continue;
    const parsed = parseOption(schema, value);
    body[field] = member === undefined
      ? parsed
      : Object.assign(body[field] ?? {}, { [member]: parsed });
  }
  return body;
}

function toOption(
  { flags, help, suggestions }: FieldOption,
  schema: z.ZodType,
): Option {
  const option = new Option(flags, help ?? schema.description);
  // Shown and completed only: the schema decides.
  if (suggestions) option.argChoices = [...suggestions];
  return option;
}

/** Parses a value by the type of its schema. A text that is no such value stays as it is, for the schema to reject. */
function parseOption(schema: z.ZodType, value: unknown): unknown {
  if (Array.isArray(value)) {
    return findType(schema) === "record" ? parsePairs(value) : value;
  }
  if (typeof value !== "string") return value;
  switch (findType(schema)) {
    case "number":
      return Number(value);
    case "boolean":
      return value === "true" ? true : value === "false" ? false : value;
    case "object":
      return parseScreen(value);
    default:
      return value;
  }
}

/** Parses NAME=VALUE texts; a text without "=" is a name with an empty value. */
function parsePairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => {
    const at = text.indexOf("=");
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  }));
}
