import { z } from "@hono/zod-openapi";
import {
  type ConnectParameter,
  findType,
  listMembers,
  type SessionField,
} from "../apps/sessions/schemas/field.ts";
import { requestedFields } from "../apps/sessions/schemas/requested_fields.ts";

/** A parameter that sets one member of the create body, or one member of an object in it. */
interface ValueParameter {
  readonly name: string;
  readonly path: readonly string[];
  readonly schema: z.ZodType;
  /** The value is a number or a boolean, not text. */
  readonly isJson: boolean;
}

/** A field of the create body that has several parameters, or one that is repeated. */
interface RepeatedField {
  readonly field: string;
  readonly connect: Extract<
    ConnectParameter,
    { readonly form: "list" | "pairs" | "prefix" }
  >;
  readonly example: unknown;
}

const fields = Object.entries<SessionField>(requestedFields);

/** Parameters with one value, in the order of the fields. */
export const valueParameters: readonly ValueParameter[] = fields.flatMap(
  ([field, { connect, input }]) => {
    if (!input) return [];
    if (connect?.form === "value") return [toParameter([field], input)];
    if (connect?.form !== "members") return [];
    return Object.entries(listMembers(input)).map(([name, schema]) =>
      toParameter([field, name], schema)
    );
  },
);

/** Fields with a parameter for each element or entry. */
export const repeatedFields: readonly RepeatedField[] = fields.flatMap(
  ([field, { connect, input, example }]) => {
    const isRepeated = connect?.form === "list" || connect?.form === "pairs" ||
      connect?.form === "prefix";
    return input && isRepeated ? [{ field, connect, example }] : [];
  },
);

/** Names of the parameters that are no part of the create body, with their schemas. */
export const separateParameters: Readonly<Record<string, z.ZodType>> = Object
  .fromEntries(
    fields.flatMap(([, { connect }]) =>
      connect?.form === "separate" ? [[connect.name, connect.schema]] : []
    ),
  );

/** Schema of `keep_alive`. */
export const keepAliveSchema =
  requestedFields.keep_alive_seconds.connect.schema;

/**
 * The query of `/v1/connect` for the API description: the create body, with a parameter for each member of its objects.
 * It only describes; `parseConnectQuery` parses.
 */
export const connectQuerySchema = z.object({
  ...describeOptional(
    valueParameters.map(({ name, schema }) => [name, schema]),
  ),
  ...describeOptional(repeatedFields.flatMap(describeRepeated)),
  ...describeOptional(Object.entries(separateParameters)),
  launch: z.string().optional().openapi({
    description:
      "A whole create body as JSON. The other parameters override its members",
    example: '{"headless":true}',
  }),
  token: z.string().optional().describe(
    "The API key, for clients that cannot set headers",
  ),
});

function toParameter(
  path: readonly string[],
  schema: z.ZodType,
): ValueParameter {
  const isJson = ["number", "boolean"].includes(findType(schema));
  return { name: path.at(-1) ?? "", path, schema, isJson };
}

function describeOptional(
  entries: readonly (readonly [string, z.ZodType])[],
): Readonly<Record<string, z.ZodOptional<z.ZodType>>> {
  return Object.fromEntries(
    entries.map(([name, schema]) => [name, schema.optional()]),
  );
}

/** The parameters of a prefix have no fixed names: OpenAPI cannot describe them. */
function describeRepeated(
  { connect, example }: RepeatedField,
): readonly (readonly [string, z.ZodType])[] {
  if (connect.form === "prefix") return [];
  const { name, description } = connect;
  const schema = z.array(z.string()).openapi({
    description,
    example: listExamples(example),
  });
  return [[name, schema]];
}

function listExamples(example: unknown): readonly string[] {
  return Array.isArray(example)
    ? example
    : Object.entries(example ?? {}).map(([name, value]) => `${name}=${value}`);
}
