import type { Client } from "@libsql/client";
import type { Output } from "../output.ts";
import type { SqlSession } from "./session.ts";

/** A session of SQL and its database. */
export interface SqlContext {
  readonly client: Client;
  readonly session: SqlSession;
  readonly output: Output;
}

const HELP = `.tables          list the tables
.schema [TABLE]  show how tables and indexes were made
.help            show this help
.quit            leave (or Ctrl+D)

SQL may take several lines and ends with ";". Each statement is its own transaction;
those from BEGIN to COMMIT are sent together at COMMIT.`;

/** Runs a line that starts with a dot. Resolves with false if it ends the shell. @throws {Error} If it is unknown. */
export async function runDotCommand(
  line: string,
  { client, session, output }: SqlContext,
): Promise<boolean> {
  const [name, argument] = line.trim().split(/\s+/);
  switch (name) {
    case ".quit":
    case ".exit":
      return false;
    case ".help":
      output.print(HELP);
      return true;
    case ".tables":
      await session.runNow(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name",
      );
      return true;
    case ".schema":
      await showSchema(client, argument, output);
      return true;
    default:
      throw new Error(
        `Cannot run "${name}": it is not a command, expected .tables, .schema, .help or .quit`,
      );
  }
}

async function showSchema(
  client: Client,
  table: string | undefined,
  output: Output,
): Promise<void> {
  const { rows } = await client.execute({
    sql:
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND (?1 IS NULL OR tbl_name = ?1) ORDER BY tbl_name, type DESC, name",
    args: [table ?? null],
  });
  if (rows.length === 0 && table !== undefined) {
    throw new Error(
      `Cannot show table "${table}": there is none, expected one of .tables`,
    );
  }
  for (const { sql } of rows) output.print(`${sql};`);
}
