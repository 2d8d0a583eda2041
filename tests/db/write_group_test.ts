import assert from "node:assert/strict";
import type { InStatement } from "@libsql/client";
import fc from "fast-check";
import { createDatabase, isConstraintError } from "../../src/db/client.ts";
import type { BatchOutcome, Connection } from "../../src/db/connection.ts";
import { connectSqlite } from "../../src/db/sqlite/sqlite_connection.ts";
import { createFakeClock } from "../support/clock.ts";

type ExecuteGroup = NonNullable<Connection["batchGroup"]>;

/** Opens a database in memory with a table, and records the sizes of its groups. */
async function openRecorded(
  change: (execute: ExecuteGroup) => ExecuteGroup = (execute) => execute,
) {
  const connection = connectSqlite(":memory:");
  const { batchGroup } = connection;
  assert.ok(batchGroup);
  const sizes: number[] = [];
  const execute = change(batchGroup);
  const db = createDatabase({
    ...connection,
    batchGroup(batches) {
      sizes.push(batches.length);
      return execute(batches);
    },
  });
  await db.client.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  return { db, sizes, [Symbol.dispose]: () => db[Symbol.dispose]() };
}

function insert(...ids: readonly number[]): InStatement[] {
  return ids.map((id) => ({ sql: "INSERT INTO t VALUES (?)", args: [id] }));
}

Deno.test("batches that wait at the same time are one transaction, each with its own results", async () => {
  using recorded = await openRecorded();
  const { client } = recorded.db;
  const results = await Promise.all(
    [1, 2, 3, 4].map((id) =>
      client.batch([...insert(id), "SELECT count(*) FROM t"], "write")
    ),
  );
  // A slow machine may have time for a part of them only; the rest follows.
  assert.equal(recorded.sizes[0], 4);
  assert.deepEqual(
    results.map(([, counted]) => counted?.rows[0]?.[0]),
    [1, 2, 3, 4],
  );
});

Deno.test("a batch that fails changes nothing, and neither do its neighbours in the transaction fail", async () => {
  using recorded = await openRecorded();
  const { client } = recorded.db;
  const [first, second, third] = await Promise.allSettled([
    client.batch(insert(1), "write"),
    client.batch(insert(2, 1), "write"),
    client.batch(insert(3), "write"),
  ]);
  assert.equal(recorded.sizes[0], 3);
  assert.equal(first.status, "fulfilled");
  assert.ok(second.status === "rejected" && isConstraintError(second.reason));
  assert.equal(third.status, "fulfilled");
  const { rows } = await client.execute("SELECT id FROM t ORDER BY id");
  assert.deepEqual(rows.map(({ id }) => id), [1, 3]);
});

Deno.test("batches have the outcomes of batches that are executed one after the other", async () => {
  const batches = fc.array(
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(batches, async (given) => {
      using together = await openRecorded();
      using alone = await openRecorded();
      const expected: string[] = [];
      for (const ids of given) {
        expected.push(await readOutcome(alone.db.client, ids));
      }
      const outcomes = await Promise.all(
        given.map((ids) => readOutcome(together.db.client, ids)),
      );
      assert.deepEqual(outcomes, expected);
      assert.deepEqual(await readIds(together), await readIds(alone));
    }),
    { numRuns: 50 },
  );
});

Deno.test("batches that the first one had no time for are executed in their own turns", async () => {
  using recorded = await openRecorded((execute) => (batches) =>
    execute(batches.slice(0, 2))
  );
  const { client } = recorded.db;
  const ids = [1, 2, 3, 4, 5];
  await Promise.all(ids.map((id) => client.batch(insert(id), "write")));
  assert.deepEqual(recorded.sizes, [5, 3, 1]);
  assert.deepEqual(await readIds(recorded), ids);
});

Deno.test("a batch that was rejected because of the lock is not executed by a later one", async () => {
  const clock = createFakeClock();
  const connection = connectSqlite(":memory:");
  let isLocked = true;
  const executed: InStatement[] = [];
  using db = createDatabase({
    ...connection,
    batchGroup(batches): Promise<readonly BatchOutcome[]> {
      if (isLocked) {
        return Promise.reject(
          Object.assign(new Error("locked"), { code: "SQLITE_BUSY" }),
        );
      }
      executed.push(...batches.flat());
      return Promise.resolve(batches.map(() => ({ results: [] })));
    },
  }, { clock });
  let code: string | undefined;
  const rejected = db.client.batch(insert(1), "write")
    .catch((error) => code = error.code);
  while (code === undefined) {
    clock.advance(10);
    await new Promise((resolve) => setTimeout(resolve));
  }
  await rejected;
  assert.equal(code, "database_busy");
  isLocked = false;
  await db.client.batch(insert(2), "write");
  assert.deepEqual(executed, insert(2));
});

async function readOutcome(
  client: Awaited<ReturnType<typeof openRecorded>>["db"]["client"],
  ids: readonly number[],
): Promise<string> {
  try {
    const results = await client.batch(insert(...ids), "write");
    return `${results.length} statements`;
  } catch (error) {
    assert.ok(isConstraintError(error), String(error));
    return "violated";
  }
}

async function readIds(
  { db }: Pick<Awaited<ReturnType<typeof openRecorded>>, "db">,
) {
  const { rows } = await db.client.execute("SELECT id FROM t ORDER BY id");
  return rows.map(({ id }) => id);
}
