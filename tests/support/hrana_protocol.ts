/**
 * "Hrana over HTTP", versions 2 and 3 in JSON, as a client writes it.
 *
 * @module
 * @see {@link https://github.com/tursodatabase/libsql/blob/main/docs/HTTP_V2_SPEC.md Hrana over HTTP, version 2}
 * @see {@link https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md Hrana, version 3}
 */
import { z } from "@hono/zod-openapi";

const valueSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("null") }),
  z.object({ type: z.literal("integer"), value: z.string() }),
  z.object({ type: z.literal("float"), value: z.number() }),
  z.object({ type: z.literal("text"), value: z.string() }),
  z.object({ type: z.literal("blob"), base64: z.string() }),
]);

/** SQL in full, or the number under which the stream has stored it. */
const textSchema = z.object({
  sql: z.string().nullish(),
  sql_id: z.number().nullish(),
});

const statementSchema = textSchema.extend({
  args: z.array(valueSchema).default([]),
  named_args: z.array(z.object({ name: z.string(), value: valueSchema }))
    .default([]),
  want_rows: z.boolean().default(() => true),
});

/** When a step of a batch is done. */
export type Condition =
  | { readonly type: "ok" | "error"; readonly step: number }
  | { readonly type: "not"; readonly cond: Condition }
  | { readonly type: "and" | "or"; readonly conds: readonly Condition[] }
  | { readonly type: "is_autocommit" };

const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.object({ type: z.enum(["ok", "error"]), step: z.number() }),
    z.object({ type: z.literal("not"), cond: conditionSchema }),
    z.object({ type: z.enum(["and", "or"]), conds: z.array(conditionSchema) }),
    z.object({ type: z.literal("is_autocommit") }),
  ])
);

const stepSchema = z.object({
  stmt: statementSchema,
  condition: conditionSchema.nullish(),
});

const requestSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("execute"), stmt: statementSchema }),
  z.object({
    type: z.literal("batch"),
    batch: z.object({ steps: z.array(stepSchema) }),
  }),
  textSchema.extend({ type: z.literal("sequence") }),
  textSchema.extend({ type: z.literal("describe") }),
  z.object({
    type: z.literal("store_sql"),
    sql_id: z.number(),
    sql: z.string(),
  }),
  z.object({ type: z.literal("close_sql"), sql_id: z.number() }),
  z.object({ type: z.literal("get_autocommit") }),
  z.object({ type: z.literal("close") }),
]);

/** Body of one HTTP request: a stream is begun, or gone on with, and is asked for several things. */
export const pipelineSchema = z.object({
  baton: z.string().nullish(),
  requests: z.array(requestSchema),
});

export type HranaPipeline = z.infer<typeof pipelineSchema>;
export type HranaValue = z.infer<typeof valueSchema>;
export type HranaText = z.infer<typeof textSchema>;
export type HranaStatement = z.infer<typeof statementSchema>;
export type HranaStep = z.infer<typeof stepSchema>;
export type HranaRequest = z.infer<typeof requestSchema>;

/** The value as SQLite takes it. A number that is no integer of the protocol is bound as a float, as servers do. */
export function fromHrana(
  value: HranaValue,
): null | bigint | number | string | Uint8Array {
  switch (value.type) {
    case "null":
      return null;
    case "integer":
      return BigInt(value.value);
    case "blob":
      return Uint8Array.from(atob(value.base64), (each) => each.charCodeAt(0));
    default:
      return value.value;
  }
}

/** What SQLite gave, as it goes over the wire. Integers come as bigint. */
export function toHrana(value: unknown): HranaValue {
  switch (typeof value) {
    case "bigint":
      return { type: "integer", value: String(value) };
    case "number":
      return { type: "float", value };
    case "string":
      return { type: "text", value };
    default:
      return value instanceof Uint8Array
        ? { type: "blob", base64: btoa(String.fromCharCode(...value)) }
        : { type: "null" };
  }
}
