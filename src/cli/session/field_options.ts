import { z } from "zod";
import {
  findType,
  listMembers,
  type SessionField,
} from "../../apps/sessions/schemas/field.ts";
import { requestedFields } from "../../apps/sessions/schemas/requested_fields.ts";
import type { FieldOption } from "../../http/declared_fields.ts";
import { INLINE, toOptionName } from "../options/schema_options.ts";
import { parseScreen } from "../options/screen.ts";

/** An option that sets a field of a session, or a member of the field's object. */
interface SetOption extends FieldOption {
  readonly field: string;
  readonly schema: z.ZodType;
}

/** Declares the options that set the fields of a session, in the order of the fields. */
export function declareFieldOptions(): z.ZodObject {
  const entries = listSetOptions().map((
    { flags, help, suggestions, schema },
  ) => {
    const text = flags.includes("...") ? z.array(z.string()) : z.string();
    const description = help ?? schema.description;
    const meta = { flags, description, suggestions };
    return [toOptionName(flags), text.optional().meta(meta)] as const;
  });
  return z.object(Object.fromEntries(entries)).meta(INLINE);
}

/** Returns the create body that options set. @param values By the names of the options. */
export function toCreateBody(
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const { flags, field, member, schema } of listSetOptions()) {
    const value = values[toOptionName(flags)];
    if (value === undefined) continue;
    const parsed = parseOption(schema, value);
    body[field] = member === undefined
      ? parsed
      : Object.assign(body[field] ?? {}, { [member]: parsed });
  }
  return body;
}

function listSetOptions(): readonly SetOption[] {
  return Object.entries<SessionField>(requestedFields).flatMap(
    ([field, { input, options = [] }]) =>
      options.flatMap((option) => {
        const { member } = option;
        const schema = member && input ? listMembers(input)[member] : input;
        return schema ? [{ ...option, field, schema }] : [];
      }),
  );
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
