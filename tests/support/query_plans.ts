import type { InArgs, InStatement } from "@libsql/client";
import type { Database } from "../../src/core/database.ts";

/** A statement that ran, with its values. */
export type Recorded = Exclude<InStatement, string>;

/** Runs `act` and returns the statements that it sent to the database. */
export async function recordStatements(
  { client }: Pick<Database, "client">,
  act: () => Promise<unknown>,
): Promise<readonly Recorded[]> {
  const batch = client.batch.bind(client);
  const execute = client.execute.bind(client);
  const seen: Recorded[] = [];
  client.batch = (given, mode) => {
    for (const each of given) {
      seen.push(
        Array.isArray(each)
          ? { sql: each[0], args: each[1] ?? [] }
          : typeof each === "string"
          ? { sql: each }
          : each,
      );
    }
    return batch(given, mode);
  };
  client.execute = (given: InStatement | string, args?: InArgs) => {
    seen.push(
      typeof given === "string" ? { sql: given, args: args ?? [] } : given,
    );
    return typeof given === "string" ? execute(given, args) : execute(given);
  };
  try {
    await act();
  } finally {
    client.batch = batch;
    client.execute = execute;
  }
  return seen;
}

/** Returns the steps of a statement's query plan. */
export async function explain(
  { client }: Pick<Database, "client">,
  { sql, args = [] }: Recorded,
): Promise<readonly string[]> {
  const { rows } = await client.execute({
    sql: `EXPLAIN QUERY PLAN ${sql}`,
    args,
  });
  return rows.map(({ detail }) => String(detail));
}
