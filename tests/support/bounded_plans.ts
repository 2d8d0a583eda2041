import assert from "node:assert/strict";
import type { TestGrid } from "./grid.ts";
import { explain, type Recorded } from "./query_plans.ts";

/** Scans whose cost does not grow: of values, of rows that were found before, and of tables with a row for each pool or webhook. */
const BOUNDED_SCAN =
  /^SCAN (\w+ VIRTUAL TABLE INDEX|CONSTANT ROW|\d+-ROW VALUES|(work_pools|scaled_pools|scaled|webhooks|hook|grid|grid_secrets|sqlite_schema|p)\b|(page|ids|one|chosen|host|walk|queue|q|scope|assigned|g|\(subquery-\d+\))$)/;

/** Sorts of few rows, by the source of their statements. */
const BOUNDED_SORTS: Readonly<Record<string, RegExp>> = {
  // As many as the worker has room for.
  "POST /workerpool/workers/{worker_id}/claim-session":
    /TEMP B-TREE FOR ORDER BY|SEARCH (g|queue) USING AUTOMATIC/,
  // The events of one request.
  "POST /workerpool/workers/{worker_id}/browser-events":
    /TEMP B-TREE FOR (GROUP|ORDER) BY/,
  // The measurements of a limited number of intervals.
  "GET /sessions/{id}/metrics": /TEMP B-TREE FOR GROUP BY/,
  "GET /workerpool/workers/{worker_id}/metrics": /TEMP B-TREE FOR GROUP BY/,
  // As many measurements as one step replaces.
  retained: /TEMP B-TREE FOR GROUP BY/,
  // The sessions that requests wait for.
  poll: /TEMP B-TREE FOR ORDER BY/,
};

/** The steps of searches in tables that grow: each is by an id or a key, or finds what is live, due or of one session. */
const BOUNDED_SEARCH =
  /^SEARCH (\w+) (EXISTS )?USING (INTEGER PRIMARY KEY|PRIMARY KEY|(COVERING )?INDEX \w+) /;

/** Returns the steps of a plan whose cost grows. */
function findGrowing(
  source: string,
  steps: readonly string[],
): readonly string[] {
  return steps.filter((step) =>
    (/^SCAN/.test(step) && !BOUNDED_SCAN.test(step) ||
      /^SEARCH/.test(step) && !BOUNDED_SEARCH.test(step) ||
      /TEMP B-TREE/.test(step)) && !BOUNDED_SORTS[source]?.test(step)
  );
}

/** Asserts that no plan of the statements has a step whose cost grows. */
export async function assertBounded(
  { core: { db } }: Pick<TestGrid, "core">,
  statements: ReadonlyMap<string, readonly Recorded[]>,
): Promise<void> {
  const found = new Set<string>();
  for (const [source, recorded] of statements) {
    for (const each of recorded) {
      for (const step of findGrowing(source, await explain(db, each))) {
        found.add(`${source}: ${step} of ${each.sql}`);
      }
    }
  }
  assert.deepEqual([...found], []);
}
