/**
 * "Hrana over HTTP", version 2, over a SQLite database: as much of it as the libSQL client uses.
 *
 * @module
 * @see {@link https://github.com/tursodatabase/libsql/blob/main/docs/HTTP_V2_SPEC.md The Hrana protocol over HTTP}
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { z } from "@hono/zod-openapi";

/** Rows as arrays: two columns may have the same name. */
const AS_ARRAYS = true;

const valueSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("null") }),
  z.object({ type: z.literal("integer"), value: z.string() }),
  z.object({ type: z.literal("float"), value: z.number() }),
  z.object({ type: z.literal("text"), value: z.string() }),
]);

const statementSchema = z.object({
  sql: z.string().optional(),
  sql_id: z.number().optional(),
  args: z.array(valueSchema).default([]),
});

interface Condition {
  readonly type: "ok" | "not";
  readonly step?: number | undefined;
  readonly cond?: Condition | undefined;
}

const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.object({
    type: z.enum(["ok", "not"]),
    step: z.number().optional(),
    cond: conditionSchema.optional(),
  })
);

/** What is asked of the database. */
export const requestSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("execute"), stmt: statementSchema }),
  z.object({
    type: z.literal("batch"),
    batch: z.object({
      steps: z.array(
        z.object({
          stmt: statementSchema,
          condition: conditionSchema.nullish(),
        }),
      ),
    }),
  }),
  z.object({
    type: z.literal("store_sql"),
    sql_id: z.number(),
    sql: z.string(),
  }),
  z.object({ type: z.literal("close") }),
]);

type Statement = z.infer<typeof statementSchema>;

/** One of the requests that come in one of HTTP. */
export type HranaRequest = z.infer<typeof requestSchema>;

/** SQL that was given numbers. */
export type Sqls = ReadonlyMap<number, string>;

/** The statements of a request. */
export function sqlOf(request: HranaRequest, sqls: Sqls): readonly string[] {
  switch (request.type) {
    case "execute":
      return [textOf(request.stmt, sqls)];
    case "batch":
      return request.batch.steps.map(({ stmt }) => textOf(stmt, sqls));
    default:
      return [];
  }
}

function textOf({ sql, sql_id = 0 }: Statement, sqls: Sqls): string {
  return sql ?? sqls.get(sql_id) ?? "";
}

/** Does what a request says; returns its result as it goes over the wire. */
export function perform(
  db: DatabaseSync,
  request: HranaRequest,
  sqls: Sqls,
): unknown {
  const ok = (result?: unknown) => ({
    type: "ok",
    response: { type: request.type, ...(result ? { result } : {}) },
  });
  switch (request.type) {
    case "execute": {
      const { result, error } = run(db, request.stmt, sqls);
      return error ? { type: "error", error } : ok(result);
    }
    case "batch":
      return ok(runBatch(db, request.batch.steps, sqls));
    default:
      return ok();
  }
}

function runBatch(
  db: DatabaseSync,
  steps: readonly {
    readonly stmt: Statement;
    readonly condition?: Condition | null | undefined;
  }[],
  sqls: Sqls,
) {
  const results: unknown[] = [];
  const errors: unknown[] = [];
  const holds = ({ type, step = 0, cond }: Condition): boolean =>
    type === "ok" ? Boolean(results[step]) : !(cond && holds(cond));
  for (const { stmt, condition } of steps) {
    const isDue = !condition || holds(condition);
    const { result, error } = isDue ? run(db, stmt, sqls) : {};
    results.push(result ?? null);
    errors.push(error ?? null);
  }
  return { step_results: results, step_errors: errors };
}

interface Outcome {
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly code: string };
}

function run(
  db: DatabaseSync,
  statement: Statement,
  sqls: Sqls,
): Outcome {
  // libSQL's own word; plain SQLite knows no transactions that only read.
  const text = textOf(statement, sqls).replace(
    "BEGIN TRANSACTION READONLY",
    "BEGIN",
  );
  try {
    const prepared = db.prepare(text);
    prepared.setReturnArrays(AS_ARRAYS);
    const rows = prepared.all(...statement.args.map(fromValue)).map((row) =>
      Object.values(row).map(toValue)
    );
    const [changes] = Object.values(
      db.prepare("SELECT changes()").get() ?? {},
    );
    return {
      result: {
        cols: prepared.columns().map(({ name, type }) => ({
          name,
          decltype: type,
        })),
        rows,
        affected_row_count: Number(changes),
        last_insert_rowid: null,
      },
    };
  } catch (error) {
    return { error: { message: String(error), code: codeOf(error) } };
  }
}

function codeOf(error: unknown): string {
  return /constraint failed/.test(String(error))
    ? "SQLITE_CONSTRAINT"
    : "SQLITE_ERROR";
}

function fromValue(value: z.infer<typeof valueSchema>): SQLInputValue {
  switch (value.type) {
    case "null":
      return null;
    case "integer":
      return BigInt(value.value);
    default:
      return value.value;
  }
}

function toValue(value: unknown) {
  switch (typeof value) {
    case "number":
      return Number.isInteger(value)
        ? { type: "integer", value: String(value) }
        : { type: "float", value };
    case "string":
      return { type: "text", value };
    default:
      return { type: "null" };
  }
}
