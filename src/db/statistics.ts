import type { Database } from "../core/database.ts";

/**
 * Deletes the statistics of ANALYZE, if someone has run it. SQLite would choose the plans of all statements by the sizes
 * that the tables had then: with those of a new grid it scans tables that have become large.
 */
export async function dropStatistics(
  { client }: Pick<Database, "client">,
): Promise<void> {
  const { rows: tables } = await client.execute(
    "SELECT name FROM sqlite_schema WHERE name IN ('sqlite_stat1', 'sqlite_stat4')",
  );
  const names = tables.map(({ name }) => String(name));
  if (names.length === 0) return;
  const { rows } = await client.execute(
    names.map((name) => `SELECT 1 FROM ${name}`).join(" UNION ALL "),
  );
  if (rows.length === 0) return;
  await client.batch(
    // The last statement makes the connection forget what it has read.
    [...names.map((name) => `DELETE FROM ${name}`), "ANALYZE sqlite_schema"],
    "write",
  );
}
