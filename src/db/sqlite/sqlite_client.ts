/**
 * The libSQL client's interface over the runtime's own SQLite, for files and memory.
 *
 * The client's native library prepares every statement again and transfers each value separately: reading one session
 * took 0.18 ms of processor time, and takes 0.02 ms here. It also did not reset statements that found the file locked,
 * after which its connection could not commit, and ended the process on text that is not well-formed.
 *
 * @module
 */
import type {
  Client,
  InArgs,
  InStatement,
  InValue,
  ResultSet,
  Transaction,
  TransactionMode,
} from "@libsql/client";
import {
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from "node:sqlite";
import { lruTouch } from "../../async/lru.ts";
import type { BatchOutcome } from "../connection.ts";
import { createRowMaker, type MakeRow } from "./sqlite_row.ts";
import { stripLeadingComments } from "../is_read_only.ts";
import { SqliteError, toSqliteError } from "./sqlite_error.ts";

/** Maximum number of prepared statements; the program has fewer, but some vary with the length of a list. */
const MAX_PREPARED = 300;

/** Statements that may change the columns of prepared statements. */
const CHANGES_SCHEMA = /^(create|alter|drop)\b/i;

/** Rows as arrays: two columns may have the same name. */
const AS_ARRAYS = true;

/** Time after which a group of batches is committed, so that it blocks nothing for longer. */
const GROUP_MS = 5;

/** A prepared statement with its columns. */
interface Prepared {
  readonly statement: StatementSync;
  readonly columns: readonly string[];
  readonly makeRow: MakeRow;
  readonly changesSchema: boolean;
}

/** A client of one SQLite file, or of memory. Calls run at once and never wait for a lock. */
export class SqliteClient implements Client {
  readonly protocol = "file";
  readonly #path: string;
  readonly #prepared = new Map<string, Prepared>();
  #db: DatabaseSync;
  #isClosed = false;

  /** @param path Of a file, or `:memory:`. @throws {SqliteError} When it cannot be opened. */
  constructor(path: string) {
    this.#path = path;
    this.#db = open(path);
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  execute(given: InStatement | string, args?: InArgs): Promise<ResultSet> {
    return this.#attempt(() => this.#run(toStatement(given, args)));
  }

  batch(
    given: (InStatement | [string, InArgs?])[],
    mode: TransactionMode = "deferred",
  ): Promise<ResultSet[]> {
    return this.#attempt(() => this.#inTransaction(BEGIN[mode], given));
  }

  /**
   * Executes write batches in one transaction, each as a whole or not at all. Returns the outcomes of the first ones:
   * after {@linkcode GROUP_MS} no further one is executed.
   */
  batchGroup(
    batches: readonly (readonly InStatement[])[],
  ): Promise<readonly BatchOutcome[]> {
    return this.#attempt(() => this.#groupInTransaction(batches));
  }

  migrate(given: InStatement[]): Promise<ResultSet[]> {
    return this.#attempt(() => {
      this.#db.exec("PRAGMA foreign_keys = OFF");
      try {
        return this.#inTransaction(BEGIN.write, given);
      } finally {
        this.#db.exec("PRAGMA foreign_keys = ON");
      }
    });
  }

  /** Rejects, because an open transaction would hold the file's lock between calls. */
  transaction(): Promise<Transaction> {
    const what = "it would hold the lock between calls, expected a batch";
    return Promise.reject(
      new TypeError(`Cannot begin a transaction: ${what}`),
    );
  }

  executeMultiple(sql: string): Promise<void> {
    return this.#attempt(() => {
      this.#prepared.clear();
      this.#db.exec(sql);
    });
  }

  sync(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  reconnect(): void {
    this.#db.close();
    this.#prepared.clear();
    this.#db = open(this.#path);
  }

  close(): void {
    if (!this.#isClosed) this.#db.close();
    this.#isClosed = true;
  }

  /** Calls `call` now and returns its result or failure as a promise. */
  #attempt<T>(call: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      try {
        if (this.#isClosed) {
          throw new SqliteError("SQLITE_CANTOPEN", "it was closed");
        }
        resolve(call());
      } catch (error) {
        reject(toSqliteError(error));
      }
    });
  }

  #inTransaction(
    begin: string,
    given: readonly (InStatement | [string, InArgs?])[],
  ): ResultSet[] {
    return this.#transact(
      begin,
      () =>
        given.map((each) =>
          this.#run(Array.isArray(each) ? toStatement(...each) : each)
        ),
    );
  }

  #groupInTransaction(
    batches: readonly (readonly InStatement[])[],
  ): readonly BatchOutcome[] {
    const [first = []] = batches;
    if (batches.length === 1) {
      return [{ results: this.#inTransaction(BEGIN.write, first) }];
    }
    const startedAt = performance.now();
    return this.#transact(BEGIN.write, () => {
      const outcomes: BatchOutcome[] = [];
      for (const batch of batches) {
        outcomes.push(this.#inSavepoint(batch));
        if (performance.now() - startedAt > GROUP_MS) break;
      }
      return outcomes;
    });
  }

  /** Executes a batch within a transaction. Its failure changes nothing, and is thrown only if it ended the transaction. */
  #inSavepoint(batch: readonly InStatement[]): BatchOutcome {
    this.#db.exec("SAVEPOINT batch");
    try {
      const results = batch.map((each) => this.#run(each));
      this.#db.exec("RELEASE batch");
      return { results };
    } catch (error) {
      if (!this.#db.isTransaction) throw error;
      this.#db.exec("ROLLBACK TO batch; RELEASE batch");
      return { error: toSqliteError(error) };
    }
  }

  #transact<T>(begin: string, act: () => T): T {
    this.#db.exec(begin);
    try {
      const result = act();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      // Some errors, such as a full disk, have ended the transaction already.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  #run(given: InStatement): ResultSet {
    const { sql, args = [] } = typeof given === "string"
      ? { sql: given }
      : given;
    const { statement, columns, makeRow, changesSchema } = this.#prepare(sql);
    const bound = toBoundValues(args);
    if (columns.length > 0) {
      const rows = readRows(statement, bound).map(makeRow);
      return toResultSet({ columns: [...columns], rows });
    }
    const { changes, lastInsertRowid } = statement.run(...bound);
    if (changesSchema) this.#prepared.clear();
    return toResultSet({
      rowsAffected: Number(changes),
      lastInsertRowid: BigInt(lastInsertRowid),
    });
  }

  #prepare(sql: string): Prepared {
    const found = this.#prepared.get(sql) ?? prepareStatement(this.#db, sql);
    lruTouch(this.#prepared, [sql, found], MAX_PREPARED);
    return found;
  }
}

/** Statements that begin a transaction. A writer takes the lock at once, so that it cannot fail half-way. */
const BEGIN: Readonly<Record<TransactionMode, string>> = {
  write: "BEGIN IMMEDIATE",
  read: "BEGIN",
  deferred: "BEGIN",
};

function open(path: string): DatabaseSync {
  try {
    // No wait for locks: it would block every request, socket and timer of the process.
    return new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    throw toSqliteError(error);
  }
}

function toStatement(
  given: InStatement | string,
  args: InArgs = [],
): InStatement {
  return typeof given === "string" ? { sql: given, args } : given;
}

function prepareStatement(db: DatabaseSync, sql: string): Prepared {
  const statement = db.prepare(sql);
  rejectMoreStatements(statement, sql);
  const columns = statement.columns().map(({ name }) => name);
  statement.setReturnArrays(AS_ARRAYS);
  return {
    statement,
    columns,
    makeRow: createRowMaker(columns),
    changesSchema: CHANGES_SCHEMA.test(stripLeadingComments(sql)),
  };
}

/** Rejects text after the first statement, which would be ignored silently. A remote server rejects it with the same code. */
function rejectMoreStatements(statement: StatementSync, sql: string): void {
  // The runtime ends the process when it reads the text of an empty statement, such as a comment.
  const mayHaveMore = /;\s*\S/.test(sql) &&
    /^[a-z]/i.test(stripLeadingComments(sql));
  if (!mayHaveMore) return;
  const rest = sql.slice(statement.sourceSQL.length);
  if (stripLeadingComments(rest.replaceAll(";", " ")) === "") return;
  throw new SqliteError(
    "SQL_MANY_STATEMENTS",
    "it has more than one statement, expected one; give several as a batch",
  );
}

function readRows(
  statement: StatementSync,
  bound: readonly SQLInputValue[],
): readonly SQLOutputValue[][] {
  // Rows are arrays, which the type declaration does not know.
  return statement.all(...bound) as unknown as SQLOutputValue[][];
}

/** Converts arguments to the values to bind: by position, or for an object by name. */
function toBoundValues(args: InArgs): readonly SQLInputValue[] {
  if (Array.isArray(args)) return args.map(toSqlValue);
  const named = Object.entries(args).map(([name, value]) =>
    [name, toSqlValue(value)] as const
  );
  // The runtime takes named values as the first argument; its type declaration has a separate overload.
  return [Object.fromEntries(named) as unknown as SQLInputValue];
}

function toSqlValue(value: InValue): SQLInputValue {
  if (typeof value === "boolean") return Number(value);
  if (value instanceof Date) return value.valueOf();
  return value instanceof ArrayBuffer ? new Uint8Array(value) : value;
}

function toResultSet(result: Partial<Omit<ResultSet, "toJSON">>): ResultSet {
  const { columns = [] } = result;
  const whole = {
    columns,
    columnTypes: columns.map(() => ""),
    rows: [],
    rowsAffected: 0,
    lastInsertRowid: undefined,
    ...result,
  };
  return { ...whole, toJSON: () => whole };
}
