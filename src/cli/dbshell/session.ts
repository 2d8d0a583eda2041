import type { Client, ResultSet, Value } from "@libsql/client";
import { systemClock } from "../../async/clock.ts";
import type { Output } from "../output.ts";
import { renderTable } from "../table.ts";

/** The format of results. */
export interface SqlSessionOptions {
  readonly output: Output;
  readonly json: boolean;
}

const BEGIN = /^begin(\s+(deferred|immediate|exclusive))?(\s+transaction)?$/i;
const COMMIT = /^(commit|end)(\s+transaction)?$/i;
const ROLLBACK = /^rollback(\s+transaction)?$/i;

/**
 * Runs SQL and prints the results.
 *
 * Each statement is its own transaction. Statements between BEGIN and COMMIT are collected and sent as one batch, so
 * that no transaction stays open while the user types, and a remote database is used like a file.
 */
export class SqlSession {
  readonly #client: Client;
  readonly #options: SqlSessionOptions;
  #collected: string[] | undefined;

  constructor(client: Client, options: SqlSessionOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** True between BEGIN and COMMIT or ROLLBACK. */
  get isCollecting(): boolean {
    return this.#collected !== undefined;
  }

  /** Runs one statement and prints its result; collects it after BEGIN. @throws {Error} If the database rejects it. */
  async run(sql: string): Promise<void> {
    if (/^(savepoint|release)\b/i.test(sql)) {
      throw new Error(
        `Cannot run "${sql}": savepoints are not kept between statements, expected BEGIN and COMMIT`,
      );
    }
    if (this.#collected === undefined) {
      if (BEGIN.test(sql)) this.#collected = [];
      else await this.runNow(sql);
    } else if (ROLLBACK.test(sql)) {
      this.#collected = undefined;
    } else if (COMMIT.test(sql)) {
      const batch = this.#collected;
      this.#collected = undefined;
      await this.#print(() => this.#client.batch(batch, "write"));
    } else {
      this.#collected.push(sql);
    }
  }

  /** Runs one statement in its own transaction, also after BEGIN. @throws {Error} If the database rejects it. */
  async runNow(sql: string): Promise<void> {
    await this.#print(async () => [await this.#client.execute(sql)]);
  }

  async #print(run: () => Promise<readonly ResultSet[]>): Promise<void> {
    const startedAt = systemClock.monotonic();
    const results = await run();
    const ms = Math.round(systemClock.monotonic() - startedAt);
    for (const result of results) printResult(result, ms, this.#options);
  }
}

function printResult(
  { columns, rows, rowsAffected }: ResultSet,
  ms: number,
  { output, json }: SqlSessionOptions,
): void {
  if (columns.length === 0) {
    if (json) output.json({ rows_affected: rowsAffected });
    return output.progress(`${renderCount(rowsAffected)} changed (${ms} ms)`);
  }
  const cells = rows.map((row) => columns.map((_, at) => row[at] ?? null));
  if (json) {
    output.json(cells.map((row) => toRecord(columns, row)));
  } else if (cells.length > 0) {
    const line = columns.map((name) => "-".repeat(name.length));
    const lines = cells.map((row) => row.map(renderCell));
    output.print(renderTable(columns, [line, ...lines]));
  }
  output.progress(`${renderCount(rows.length)} (${ms} ms)`);
}

function renderCount(count: number): string {
  return count === 1 ? "1 row" : `${count} rows`;
}

function toRecord(columns: readonly string[], row: readonly Value[]) {
  return Object.fromEntries(
    columns.map((name, at) => [name, toJsonValue(row[at] ?? null)]),
  );
}

function toJsonValue(value: Value): unknown {
  if (typeof value === "bigint") return value.toString();
  return isBytes(value) ? toHex(value) : value;
}

function renderCell(value: Value): string {
  if (value === null) return "NULL";
  if (isBytes(value)) return `x'${toHex(value)}'`;
  return String(value).replaceAll("\r", "\\r").replaceAll("\n", "\\n");
}

type Bytes = ArrayBuffer | Uint8Array<ArrayBuffer>;

/** Reports whether a value is a blob: a view from a file, a buffer from a remote database. */
function isBytes(value: unknown): value is Bytes {
  return value instanceof ArrayBuffer || value instanceof Uint8Array;
}

function toHex(bytes: Bytes): string {
  return new Uint8Array(bytes).toHex();
}
