/**
 * The libSQL client's interface over the runtime's own SQLite, for files and memory.
 *
 * The client's native library prepares every statement anew and hands over each value of each row by itself: reading
 * one session took it 0.18 ms of processor time, where this takes 0.02. It also left statements that found the file
 * locked unreset, after which its connection could not commit, and ended the process at text that is not well-formed.
 *
 * @module
 */
import type {
  Client,
  InArgs,
  InStatement,
  InValue,
  ResultSet,
  TransactionMode,
} from "@libsql/client";
import {
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from "node:sqlite";
import { type MakeRow, rowMaker } from "./file_row.ts";
import { SqliteError, sqliteError } from "./sqlite_error.ts";

/** Statements that stay prepared; the program has fewer, but some vary with the length of a list. */
const MAX_PREPARED = 300;

/** Rows as arrays: two columns may have the same name. */
const AS_ARRAYS = true;

/** A statement, and what it returns. */
interface Prepared {
  readonly statement: StatementSync;
  readonly columns: readonly string[];
  readonly makeRow: MakeRow;
}

/**
 * Opens the SQLite file at `path`, or `:memory:`. Calls are made at once, and never wait for a lock.
 *
 * @throws {SqliteError} When it cannot be opened.
 */
export function openFileClient(path: string): Client {
  let db = open(path);
  let prepared = new Map<string, Prepared>();
  let isClosed = false;

  /** Makes a call now; whoever awaits it learns of its failure. */
  function attempt<T>(call: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      try {
        if (isClosed) throw new SqliteError("SQLITE_CANTOPEN", "it was closed");
        resolve(call());
      } catch (error) {
        reject(sqliteError(error));
      }
    });
  }

  function prepare(sql: string): Prepared {
    const known = prepared.get(sql);
    const found = known ?? preparedOf(db, sql);
    // The one that was used longest ago is first.
    prepared.delete(sql);
    prepared.set(sql, found);
    const [oldest] = prepared.size > MAX_PREPARED ? prepared.keys() : [];
    if (oldest !== undefined) prepared.delete(oldest);
    return found;
  }

  function run(given: InStatement): ResultSet {
    const { sql, args = [] } = typeof given === "string"
      ? { sql: given }
      : given;
    const { statement, columns, makeRow } = prepare(sql);
    const bound = boundOf(args);
    if (columns.length > 0) {
      return resultOf({
        columns: [...columns],
        rows: rowsOf(statement, bound).map(makeRow),
      });
    }
    const { changes, lastInsertRowid } = statement.run(...bound);
    return resultOf({
      rowsAffected: Number(changes),
      lastInsertRowid: BigInt(lastInsertRowid),
    });
  }

  function inTransaction<T>(begin: string, act: () => T): T {
    db.exec(begin);
    try {
      const result = act();
      db.exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk, for instance, has ended it already.
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }

  function execute(given: InStatement | string, args?: InArgs) {
    const isText = typeof given === "string";
    return attempt(() =>
      run(isText ? { sql: given, args: args ?? [] } : given)
    );
  }

  return {
    execute,
    batch: (statements, mode = "deferred") =>
      attempt(() =>
        inTransaction(
          BEGIN[mode],
          () =>
            statements.map((each) =>
              run(
                Array.isArray(each)
                  ? { sql: each[0], args: each[1] ?? [] }
                  : each,
              )
            ),
        )
      ),
    migrate: (statements) =>
      attempt(() => {
        db.exec("PRAGMA foreign_keys = OFF");
        try {
          return inTransaction(BEGIN.write, () => statements.map(run));
        } finally {
          db.exec("PRAGMA foreign_keys = ON");
        }
      }),
    transaction: () =>
      Promise.reject(
        new TypeError(
          "Cannot begin a transaction: it would hold the file's lock between calls, expected a batch",
        ),
      ),
    executeMultiple: (sql) => attempt(() => db.exec(sql)),
    sync: () => Promise.resolve(undefined),
    reconnect() {
      db.close();
      prepared = new Map();
      db = open(path);
    },
    close() {
      if (!isClosed) db.close();
      isClosed = true;
    },
    get closed() {
      return isClosed;
    },
    protocol: "file",
  };
}

/** How transactions begin. A writer takes the lock at once: it cannot find out half-way that what it read is old. */
const BEGIN: Readonly<Record<TransactionMode, string>> = {
  write: "BEGIN IMMEDIATE",
  read: "BEGIN",
  deferred: "BEGIN",
};

function open(path: string): DatabaseSync {
  try {
    // It waits for no lock: its wait would stop every request, socket and timer of the process.
    return new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    throw sqliteError(error);
  }
}

function preparedOf(db: DatabaseSync, sql: string): Prepared {
  const statement = db.prepare(sql);
  const columns = statement.columns().map(({ name }) => name);
  statement.setReturnArrays(AS_ARRAYS);
  return { statement, columns, makeRow: rowMaker(columns) };
}

function rowsOf(
  statement: StatementSync,
  bound: readonly SQLInputValue[],
): readonly SQLOutputValue[][] {
  // They are arrays, which the declaration does not know.
  return statement.all(...bound) as unknown as SQLOutputValue[][];
}

/** What is bound, by place; an object is bound by name. */
function boundOf(args: InArgs): readonly SQLInputValue[] {
  if (Array.isArray(args)) return args.map(valueOf);
  const named = Object.entries(args).map(([name, value]) =>
    [name, valueOf(value)] as const
  );
  // The runtime takes values by name in the place of the first; its declaration has that apart.
  return [Object.fromEntries(named) as unknown as SQLInputValue];
}

function valueOf(value: InValue): SQLInputValue {
  if (typeof value === "boolean") return Number(value);
  if (value instanceof Date) return value.valueOf();
  return value instanceof ArrayBuffer ? new Uint8Array(value) : value;
}

function resultOf(result: Partial<Omit<ResultSet, "toJSON">>): ResultSet {
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
