import { transport } from "../api/client.ts";
import { isRecord } from "./is_record.ts";
import { type JsonSchema, resolveReferences } from "./json_schema.ts";

/** The parts of the API description that are read. */
interface ApiDocument {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, Operation>>>
  >;
}

interface Operation {
  readonly operationId?: string;
  readonly requestBody?: {
    readonly content: Readonly<
      Record<string, { readonly schema: JsonSchema }>
    >;
  };
}

let loading: Promise<ApiDocument> | undefined;

/** Returns the schema of an operation's request body. The API description is loaded once; after a failure, again. */
export async function loadBodySchema(
  operationId: string,
): Promise<JsonSchema> {
  loading ??= transport.json<ApiDocument>("GET", "/openapi.json");
  const document = await loading.catch((error) => {
    loading = undefined;
    throw error;
  });
  const operation = Object.values(document.paths).flatMap((each) =>
    Object.values(each)
  ).find((each) => each.operationId === operationId);
  const schema = operation?.requestBody?.content["application/json"]?.schema;
  if (!schema) {
    throw new TypeError(`The API has no operation "${operationId}"`);
  }
  return addExamples(resolveReferences(schema, document));
}

/** Returns the schema whose members have the values of its first example as theirs. */
function addExamples(schema: JsonSchema): JsonSchema {
  const [example] = schema.examples ?? [];
  if (!isRecord(example)) return schema;
  const members = Object.entries(schema.properties ?? {}).map(
    ([name, member]) => [
      name,
      example[name] === undefined
        ? member
        : { examples: [example[name]], ...member },
    ],
  );
  return { ...schema, properties: Object.fromEntries(members) };
}

/** Returns the members of a new record's schema that a change may have, with the defaults of the new record. */
export function restrictSchema(
  schema: JsonSchema,
  change: JsonSchema,
): JsonSchema {
  const { properties = {}, required = [] } = schema;
  const members = Object.entries(properties).filter(([name]) =>
    change.properties?.[name]
  );
  const names = new Set(members.map(([name]) => name));
  return {
    ...schema,
    properties: Object.fromEntries(members),
    required: required.filter((name) => names.has(name)),
  };
}
