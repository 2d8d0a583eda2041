import { z } from "zod";
import type { PoolPatch } from "../../apps/workerpool/schemas.ts";
import {
  type PoolField,
  poolFields,
} from "../../apps/workerpool/schemas/pool_fields.ts";
import type { FieldOption } from "../../http/declared_fields.ts";
import { UsageError } from "../exit.ts";
import { readFileValue } from "../options/file_value.ts";
import { INLINE, toOptionName } from "../options/schema_options.ts";
import { parseScreen } from "../options/screen.ts";

/** An option that sets a field of a pool. */
interface SetOption extends FieldOption {
  readonly field: string;
  readonly schema: z.ZodType;
}

/** The option of changes only. A new pool has an option for each member of its provider's configuration. */
const PROVIDER_CONFIG: SetOption = {
  field: "provider_config",
  schema: poolFields.provider_config.schema,
  flags: "--provider-config <json>",
  help: "Whole configuration of the provider; @FILE reads it from a file",
};

/** Declares the options of a change of a pool. */
export function declarePoolChangeOptions(): z.ZodObject {
  return declareOptions([...listSetOptions(), PROVIDER_CONFIG]);
}

/** Declares the options of a new pool's fields. @param taken Names of options that the provider has. */
export function declarePoolOptions(taken: readonly string[]): z.ZodObject {
  return declareOptions(
    listSetOptions().filter(({ flags }) =>
      !taken.includes(toOptionName(flags))
    ),
  );
}

/** Returns the fields of a pool from the values of their options. */
export function toPoolPatch(
  values: Readonly<Record<string, unknown>>,
): PoolPatch {
  const entries = [...listSetOptions(), PROVIDER_CONFIG].flatMap(
    ({ flags, field }) => {
      const value = values[toOptionName(flags)];
      return value === undefined ? [] : [[field, value]];
    },
  );
  return Object.fromEntries(entries);
}

function listSetOptions(): readonly SetOption[] {
  return Object.entries<PoolField>(poolFields).flatMap(
    ([field, { schema, option }]) =>
      option ? [{ ...option, field, schema }] : [],
  );
}

function declareOptions(options: readonly SetOption[]): z.ZodObject {
  const entries = options.map((option) => {
    const { flags, help, suggestions, schema } = option;
    const description = help ?? schema.description;
    const text = z.string().transform(chooseParser(option)).optional();
    return [
      toOptionName(flags),
      text.meta({ flags, description, suggestions }),
    ] as const;
  });
  return z.object(Object.fromEntries(entries)).meta(INLINE);
}

type Parser = (text: string, context: z.RefinementCtx) => unknown;

/** Returns the parser of an option's text, by its placeholder. */
function chooseParser({ flags, schema }: SetOption): Parser {
  const [, placeholder] = /<(.+)>/.exec(flags) ?? [];
  switch (placeholder) {
    case "json":
    case "number":
    case "true|false":
      return parseJson;
    case "size":
      return parseScreen;
    case "list":
      return schema instanceof z.ZodNullable ? parseNullableList : parseList;
    default:
      return (text) => text;
  }
}

function parseJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(readFileValue(text));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    context.addIssue(
      "expected a value as JSON, such as 5, true or null, or @FILE",
    );
    return z.NEVER;
  }
}

function parseNullableList(text: string): readonly string[] | null {
  return text === "default" || text === "null" ? null : parseList(text);
}

function parseList(text: string): readonly string[] {
  return text === "none" ? [] : text.split(",").map((entry) => entry.trim());
}
