import type { Client, ResultSet, Value } from "@libsql/client";
import { systemClock } from "../../async/clock.ts";
import type { Output } from "../output.ts";
import { tableText } from "../table.ts";

/** How results are shown. */
export interface SqlSessionOptions {
  readonly output: Output;
  readonly json: boolean;
}

/** What runs SQL for a person or a pipe. */
export interface SqlSession {
  /** Runs one statement and shows what comes of it. Statements after BEGIN wait for COMMIT. @throws {Error} What the database says of it. */
  run(sql: string): Promise<void>;
  /** Runs one statement at once and by itself, also after BEGIN. @throws {Error} What the database says of it. */
  runNow(sql: string): Promise<void>;
  /** Whether BEGIN was given, and neither COMMIT nor ROLLBACK. */
  readonly isCollecting: boolean;
}

const BEGIN = /^begin(\s+(deferred|immediate|exclusive))?(\s+transaction)?$/i;
const COMMIT = /^(commit|end)(\s+transaction)?$/i;
const ROLLBACK = /^rollback(\s+transaction)?$/i;

/**
 * A session of SQL over `client`. Each statement is a transaction of its own; those between BEGIN and COMMIT are sent
 * together at the end, as one batch: nothing is held open meanwhile, and a remote database takes it as a file does.
 */
export function sqlSession(
  client: Client,
  options: SqlSessionOptions,
): SqlSession {
  let collected: string[] | undefined;
  const runNow = (sql: string) =>
    timed(async () => [await client.execute(sql)], options);
  return {
    runNow,
    get isCollecting() {
      return collected !== undefined;
    },
    async run(sql) {
      if (/^(savepoint|release)\b/i.test(sql)) {
        throw new Error(
          `Cannot run "${sql}": savepoints are not kept between statements, expected BEGIN and COMMIT`,
        );
      }
      if (collected === undefined) {
        if (BEGIN.test(sql)) collected = [];
        else await runNow(sql);
        return;
      }
      if (ROLLBACK.test(sql)) collected = undefined;
      else if (COMMIT.test(sql)) {
        const batch = collected;
        collected = undefined;
        await timed(() => client.batch(batch, "write"), options);
      } else collected.push(sql);
    },
  };
}

async function timed(
  act: () => Promise<readonly ResultSet[]>,
  options: SqlSessionOptions,
): Promise<void> {
  const startedAt = systemClock.monotonic();
  const results = await act();
  const ms = Math.round(systemClock.monotonic() - startedAt);
  for (const result of results) show(result, ms, options);
}

function show(
  { columns, rows, rowsAffected }: ResultSet,
  ms: number,
  { output, json }: SqlSessionOptions,
): void {
  if (columns.length === 0) {
    if (json) output.json({ rows_affected: rowsAffected });
    return output.progress(`${counted(rowsAffected)} changed (${ms} ms)`);
  }
  const cells = rows.map((row) => columns.map((_, at) => row[at] ?? null));
  if (json) {
    output.json(cells.map((row) => recordOf(columns, row)));
  } else if (cells.length > 0) {
    const line = columns.map((name) => "-".repeat(name.length));
    const shown = cells.map((row) => row.map(cellText));
    output.print(tableText(columns, [line, ...shown]));
  }
  output.progress(`${counted(rows.length)} (${ms} ms)`);
}

function counted(count: number): string {
  return count === 1 ? "1 row" : `${count} rows`;
}

function recordOf(columns: readonly string[], row: readonly Value[]) {
  return Object.fromEntries(
    columns.map((name, at) => [name, jsonValue(row[at] ?? null)]),
  );
}

function jsonValue(value: Value): unknown {
  if (typeof value === "bigint") return value.toString();
  return isBytes(value) ? hexOf(value) : value;
}

function cellText(value: Value): string {
  if (value === null) return "NULL";
  if (isBytes(value)) return `x'${hexOf(value)}'`;
  return String(value).replaceAll("\r", "\\r").replaceAll("\n", "\\n");
}

type Bytes = ArrayBuffer | Uint8Array<ArrayBuffer>;

/** A file's blobs are views, a remote database's are not. */
function isBytes(value: unknown): value is Bytes {
  return value instanceof ArrayBuffer || value instanceof Uint8Array;
}

function hexOf(bytes: Bytes): string {
  return new Uint8Array(bytes).toHex();
}
