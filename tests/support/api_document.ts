import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { TestGrid } from "./grid.ts";

/** A JSON Schema as it stands in a document. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A parameter of an operation. */
export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

/** A body by media type. */
export type Content = Readonly<
  Record<string, {
    readonly schema: JsonSchema;
    readonly example?: unknown;
    readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
  }>
>;

/** One answer of an operation. */
export interface DescribedAnswer {
  readonly description: string;
  readonly content?: Content;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** One operation of the document, its references to shared answers followed. */
export interface DescribedOperation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary?: string;
  readonly tags: readonly string[];
  readonly isWebSocket: boolean;
  readonly isPublic: boolean;
  readonly parameters: readonly Parameter[];
  readonly body?: { readonly required: boolean; readonly schema: JsonSchema };
  readonly answers: Readonly<Record<string, DescribedAnswer>>;
  /** Every content with the place that it stands at. */
  readonly contents: readonly Content[];
}

/** The document of a grid, and checks of values against the schemas in it. */
export interface DescribedApi {
  // deno-lint-ignore no-explicit-any -- a test says what it expects of it
  readonly json: any;
  readonly operations: readonly DescribedOperation[];
  /** The schema that a reference leads to, or the schema itself. */
  follow(schema: JsonSchema): JsonSchema;
  /** Returns the fault of `value`, or undefined. */
  fault(schema: JsonSchema, value: unknown): string | undefined;
}

/** Reads `/openapi.json` of a grid. */
export async function describedApi(grid: TestGrid): Promise<DescribedApi> {
  const json = await (await grid.request("/openapi.json")).json();
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  formats.default(ajv);
  ajv.addSchema({ $id: "api", components: json.components });
  const compiled = new Map<JsonSchema, ReturnType<typeof ajv.compile>>();
  const compileValidator = (schema: JsonSchema) =>
    compiled.getOrInsertComputed(
      schema,
      () => ajv.compile(rebased(schema)),
    );
  return {
    json,
    operations: listOperations(json),
    follow: (schema) =>
      typeof schema.$ref === "string" ? pointedAt(json, schema.$ref) : schema,
    fault(schema, value) {
      const validate = compileValidator(schema);
      return validate(value) ? undefined : ajv.errorsText(validate.errors);
    },
  };
}

/** With references that lead into the document from outside of it. */
function rebased(schema: JsonSchema): JsonSchema {
  return JSON.parse(
    JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"api#/'),
  );
}

// deno-lint-ignore no-explicit-any -- a JSON pointer may lead to anything
function pointedAt(json: any, ref: string): any {
  return ref.split("/").slice(1).reduce((at, name) => at[name], json);
}

// deno-lint-ignore no-explicit-any -- the document as it came
function listOperations(json: any): readonly DescribedOperation[] {
  return Object.entries<object>(json.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) =>
      findOperation(json, path, method, operation)
    )
  );
}

function findOperation(
  // deno-lint-ignore no-explicit-any -- the document as it came
  json: any,
  path: string,
  method: string,
  // deno-lint-ignore no-explicit-any -- the document as it came
  operation: any,
): DescribedOperation {
  const answers = Object.fromEntries(
    Object.entries<Record<string, string>>(operation.responses).map((
      [status, answer],
    ) => [status, answer.$ref ? pointedAt(json, answer.$ref) : answer]),
  );
  const body = operation.requestBody;
  return {
    id: operation.operationId,
    method: method.toUpperCase(),
    path,
    summary: operation.summary,
    tags: operation.tags ?? [],
    isWebSocket: operation["x-websocket"] === true,
    isPublic: operation.security?.length === 0,
    parameters: operation.parameters ?? [],
    ...(body
      ? {
        body: {
          required: body.required === true,
          schema: body.content["application/json"].schema,
        },
      }
      : {}),
    answers,
    contents: [body, ...Object.values(answers)].flatMap((each) =>
      each?.content ?? []
    ),
  };
}
