import type { DatabaseSync, StatementSync } from "node:sqlite";
import { isReadOnly } from "../../src/db/is_read_only.ts";
import {
  type Condition,
  fromHrana,
  type HranaRequest,
  type HranaStatement,
  type HranaStep,
  type HranaText,
  toHrana,
} from "./hrana_protocol.ts";

/** Rows as arrays, because two columns may have the same name; integers exact. */
const AS_ARRAYS = true;
const AS_BIGINT = true;

/** libSQL's own word; plain SQLite knows no transactions that only read. */
const READ_ONLY = "BEGIN TRANSACTION READONLY";

/** Changes and last row of the statement before. */
const CHANGES = "SELECT changes() AS changes, last_insert_rowid() AS id";

/** Prepared statements of each connection by their text, for its later streams too. */
const preparedBy = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/** A client's series of requests to one connection, which no other client uses at the same time. */
export class HranaStream {
  readonly #db: DatabaseSync;
  readonly #stored = new Map<number, string>();
  #isClosed = false;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** The connection, clean, for the next stream. */
  release(): DatabaseSync {
    if (this.#isInTransaction) this.#db.exec("ROLLBACK");
    return this.#db;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Returns the statements of a request. */
  listSql(request: HranaRequest): readonly string[] {
    switch (request.type) {
      case "execute":
        return [this.#text(request.stmt)];
      case "batch":
        return request.batch.steps.map(({ stmt }) => this.#text(stmt));
      case "sequence":
      case "describe":
        return [this.#text(request)];
      default:
        return [];
    }
  }

  /** Does what a request says, in one go. Returns its result as it goes over the wire. */
  perform(request: HranaRequest): unknown {
    try {
      return {
        type: "ok",
        response: { type: request.type, ...this.#answer(request) },
      };
    } catch (error) {
      return { type: "error", error: toHranaError(error) };
    }
  }

  #answer(request: HranaRequest): object {
    switch (request.type) {
      case "execute":
        return { result: this.#execute(request.stmt) };
      case "batch":
        return { result: this.#batch(request.batch.steps) };
      case "sequence":
        this.#db.exec(this.#text(request));
        return {};
      case "describe":
        return { result: this.#describe(this.#text(request)) };
      case "get_autocommit":
        return { is_autocommit: !this.#isInTransaction };
      case "store_sql":
        this.#stored.set(request.sql_id, request.sql);
        return {};
      case "close_sql":
        this.#stored.delete(request.sql_id);
        return {};
      case "close":
        this.#isClosed = true;
        return {};
      default:
        return request satisfies never;
    }
  }

  #batch(steps: readonly HranaStep[]) {
    const results: unknown[] = [];
    const errors: unknown[] = [];
    const holds = (condition: Condition): boolean => {
      switch (condition.type) {
        case "ok":
          return Boolean(results[condition.step]);
        case "error":
          return Boolean(errors[condition.step]);
        case "not":
          return !holds(condition.cond);
        case "and":
          return condition.conds.every(holds);
        case "or":
          return condition.conds.some(holds);
        case "is_autocommit":
          return !this.#isInTransaction;
      }
    };
    for (const [at, { stmt, condition }] of steps.entries()) {
      results[at] = errors[at] = null;
      if (condition && !holds(condition)) continue;
      try {
        results[at] = this.#execute(stmt);
      } catch (error) {
        errors[at] = toHranaError(error);
      }
    }
    return { step_results: results, step_errors: errors };
  }

  #execute(statement: HranaStatement) {
    const sql = this.#text(statement);
    const prepared = this.#prepare(sql === READ_ONLY ? "BEGIN" : sql);
    const rows = prepared.all(
      Object.fromEntries(
        statement.named_args.map(({ name, value }) => [name, fromHrana(value)]),
      ),
      ...statement.args.map(fromHrana),
    );
    const isRead = isReadOnly(sql);
    const [changes, id] = isRead
      ? []
      : Object.values(this.#prepare(CHANGES).get() ?? {});
    return {
      cols: readColumns(prepared),
      rows: statement.want_rows
        ? rows.map((row) => Object.values(row).map(toHrana))
        : [],
      affected_row_count: Number(changes ?? 0),
      last_insert_rowid: isRead ? null : String(id),
    };
  }

  #prepare(sql: string): StatementSync {
    const statements = preparedBy.get(this.#db) ?? new Map();
    preparedBy.set(this.#db, statements);
    const found = statements.get(sql);
    if (found) return found;
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(AS_ARRAYS);
    statement.setReadBigInts(AS_BIGINT);
    statements.set(sql, statement);
    return statement;
  }

  /** SQLite tells it, but Deno does not pass it on: a transaction in another is refused. */
  get #isInTransaction(): boolean {
    try {
      this.#db.exec("BEGIN");
    } catch {
      return true;
    }
    this.#db.exec("ROLLBACK");
    return false;
  }

  #describe(sql: string) {
    const prepared = this.#db.prepare(sql);
    return {
      params: [],
      cols: readColumns(prepared),
      is_explain: /^\s*explain\b/i.test(sql),
      is_readonly: isReadOnly(sql),
    };
  }

  #text({ sql, sql_id }: HranaText): string {
    return sql ?? this.#stored.get(sql_id ?? -1) ?? "";
  }
}

function readColumns(prepared: StatementSync) {
  return prepared.columns().map(({ name, type }) => ({ name, decltype: type }));
}

/** Converts an error to SQLite's code, which Deno reports only as text. */
function toHranaError(error: unknown) {
  const message = error instanceof Error ? error.message : String(error);
  return { message, code: findSqliteCode(message) };
}

function findSqliteCode(message: string): string {
  if (/constraint failed/i.test(message)) return "SQLITE_CONSTRAINT";
  if (/database (table )?is locked/.test(message)) return "SQLITE_BUSY";
  return "SQLITE_ERROR";
}
