/**
 * Statements whose SQL text is built once and that run many times, with other values each time. The query builder takes
 * longer to write the text of a statement than SQLite takes to run it.
 *
 * @module
 */
import type { Client, InValue, ResultSet } from "@libsql/client";
import { is, Param, Placeholder, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Database, Statement } from "../core/database.ts";
import { createResultMapper, type Mapping } from "./map_result.ts";
import {
  isList,
  type ResultOf,
  type Statements,
  type Unrun,
} from "./batch_named.ts";

/**
 * Returns SQL that stands for the value `name` of `V` until the statement runs. With a column, the value is stored in
 * the form of that column, such as JSON. Null and undefined are NULL in either case.
 */
export type Bind<V> = <K extends keyof V & string>(
  name: K,
  column?: SQLiteColumn,
) => SQL<V[K]>;

/** Statements with their values, under the names that they were built with. */
export type Bound<S> = {
  readonly [K in keyof S]: S[K] extends readonly Unrun[] ? BoundList<S[K]>
    : Statement<ResultOf<S[K]>>;
};

type BoundList<L extends readonly Unrun[]> = {
  readonly [I in keyof L]: Statement<ResultOf<L[I]>>;
};

/** An object with the values, by the names of their placeholders. */
type Values = object;

/**
 * Returns a function that binds statements to values. `build` is called at its first call for a database.
 *
 * A bound statement is a part of a batch, or it is awaited alone. Its text cannot depend on the values: a list is bound
 * as one JSON text, and read with `json_each`.
 *
 * ```ts
 * const endStatements = prepare(({ orm }, bind: Bind<{ id: string }>) => ({
 *   events: orm.delete(events).where(eq(events.sessionId, bind("id"))),
 *   session: orm.select().from(sessions).where(eq(sessions.id, bind("id"))),
 * }));
 * const { session } = await batchNamed(db.orm, endStatements(db, { id }));
 * ```
 */
export function prepare<V extends object, const S extends Statements<S>>(
  build: (db: Database, bind: Bind<V>) => S,
): (db: Database, values: V) => Bound<S> {
  const builtFor = new WeakMap<Database, PreparedStatements>();
  return function bindStatements(db, values) {
    const built = builtFor.get(db) ??
      new PreparedStatements(db.client, build(db, bindName));
    builtFor.set(db, built);
    // The names and results are those of `build`, which the checker cannot see.
    return built.bind(values) as Bound<S>;
  };
}

function bindName(name: string, column?: SQLiteColumn): SQL<never> {
  const placeholder = sql.placeholder(name);
  return column ? sql`${sql.param(placeholder, column)}` : sql`${placeholder}`;
}

/** Built statements by name. */
class PreparedStatements {
  readonly #entries: readonly (readonly [
    name: string,
    PreparedStatement | readonly PreparedStatement[],
  ])[];

  constructor(
    client: Client,
    statements: Readonly<Record<string, Unrun | readonly Unrun[]>>,
  ) {
    const build = (each: Unrun) => new PreparedStatement(client, each);
    this.#entries = Object.entries(statements).map(([name, each]) => [
      name,
      isList(each) ? each.map(build) : build(each),
    ]);
  }

  bind(values: Values): Readonly<Record<string, unknown>> {
    const bind = (each: PreparedStatement) => new BoundStatement(each, values);
    return Object.fromEntries(
      this.#entries.map(([name, each]) => [
        name,
        each instanceof PreparedStatement ? bind(each) : each.map(bind),
      ]),
    );
  }
}

/** A statement of the query builder after its text was built. */
interface Built extends Mapping {
  getQuery(): { readonly sql: string; readonly params: readonly unknown[] };
}

/** The text of a statement, the source of each parameter, and the conversion of the result. */
class PreparedStatement {
  readonly client: Client;
  readonly sql: string;
  readonly mapResult: (result: ResultSet) => unknown;
  readonly #parameters: readonly ((values: Values) => InValue)[];

  constructor(client: Client, unrun: Unrun) {
    this.client = client;
    const built = toBuilt(unrun);
    this.mapResult = createResultMapper(built);
    const { sql, params } = built.getQuery();
    this.sql = sql;
    this.#parameters = params.map(toParameter);
  }

  args(values: Values): InValue[] {
    return this.#parameters.map((read) => read(values));
  }
}

/** A prepared statement with its values, in the form that the query builder's batches accept. */
class BoundStatement implements Unrun, PromiseLike<unknown> {
  declare readonly _: Unrun["_"];
  readonly #statement: PreparedStatement;
  readonly #values: Values;

  constructor(statement: PreparedStatement, values: Values) {
    this.#statement = statement;
    this.#values = values;
  }

  /** Called by the query builder for each statement of a batch. */
  _prepare(): this {
    return this;
  }

  getQuery(): { readonly sql: string; readonly params: InValue[] } {
    const { sql } = this.#statement;
    return { sql, params: this.#statement.args(this.#values) };
  }

  mapResult(result: ResultSet): unknown {
    return this.#statement.mapResult(result);
  }

  then<T, E = never>(
    onResult?: ((result: unknown) => T | PromiseLike<T>) | null,
    onError?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<T | E> {
    const { sql, params: args } = this.getQuery();
    return this.#statement.client.execute({ sql, args })
      .then((result) => this.mapResult(result)).then(onResult, onError);
  }
}

function toBuilt(unrun: object): Built {
  const built = "prepare" in unrun && typeof unrun.prepare === "function"
    ? unrun.prepare()
    : unrun;
  if (isBuilt(built)) return built;
  throw new TypeError("Cannot prepare the statement: it has no text");
}

function isBuilt(value: object): value is Built {
  return "getQuery" in value && "mapResult" in value;
}

/** Returns how a parameter of a built statement gets its value. */
function toParameter(parameter: unknown): (values: Values) => InValue {
  if (is(parameter, Placeholder)) {
    const { name } = parameter;
    return (values) => toInValue(Reflect.get(values, name));
  }
  if (is(parameter, Param) && is(parameter.value, Placeholder)) {
    const { encoder, value: { name } } = parameter;
    return (values) => {
      const value = Reflect.get(values, name) ?? null;
      // An encoder of JSON would write null as text.
      return value === null ? null : toInValue(encoder.mapToDriverValue(value));
    };
  }
  const constant = toInValue(parameter);
  return () => constant;
}

function toInValue(value: unknown): InValue {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
      return value;
    case "undefined":
      return null;
    default:
      if (value === null || value instanceof Uint8Array) return value;
      throw new TypeError(
        "Cannot bind the value: it is an object, expected its encoded form; give its column to bind()",
      );
  }
}

/**
 * Returns a function for statements whose text depends on a shape, such as the filters of a list: they are built at the
 * first use of each shape.
 *
 * @param build Returns the function of {@linkcode prepare} for a shape, a JSON value of which there are few.
 */
export function prepareByShape<S, P>(build: (shape: S) => P): (shape: S) => P {
  const built = new Map<string, P>();
  return function findStatements(shape) {
    const key = JSON.stringify(shape);
    const found = built.get(key) ?? build(shape);
    built.set(key, found);
    return found;
  };
}
