import assert from "node:assert/strict";
import { type Client, createClient, type InStatement } from "@libsql/client";
import fc from "fast-check";
import { SqliteClient } from "../../src/db/sqlite/sqlite_client.ts";

/** The library's own client of files, which this one stands in for. */
function library(): Client {
  return createClient({ url: ":memory:" });
}

/** Result of a call, in a form in which the results of both clients can be compared. */
async function readOutcome(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    // The library says more of a constraint.
    return String(code).replace(/^(SQLITE_CONSTRAINT).*/, "$1");
  }
}

async function answerTo(client: Client, statement: InStatement) {
  const { columns, rows, rowsAffected } = await client.execute(statement);
  return {
    columns,
    rowsAffected,
    named: rows.map((row) => Object.entries(row)),
    placed: rows.map((row) => Array.prototype.slice.call(row)),
  };
}

const SCRIPT: readonly InStatement[] = [
  "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, size REAL, data JSON)",
  { sql: "INSERT INTO t (name, size) VALUES (?, ?)", args: ["a", 1.5] },
  { sql: "INSERT INTO t (name, size) VALUES (?, ?)", args: ["b", null] },
  { sql: "INSERT INTO t (name) VALUES (?)", args: ["a"] },
  {
    sql: "INSERT INTO t (id, name) VALUES ($id, :name)",
    args: { id: 7, name: "c" },
  },
  "SELECT * FROM t ORDER BY id",
  "SELECT a.id, b.id, a.name AS id FROM t AS a JOIN t AS b ON a.id = b.id",
  { sql: "UPDATE t SET size = ? WHERE id > ?", args: [true, 1] },
  { sql: "UPDATE t SET size = ? RETURNING id, size", args: [new Date(5)] },
  { sql: "DELETE FROM t WHERE name = ?", args: ["none"] },
  "SELECT json_object('id', id) AS data, count(*) AS n FROM t GROUP BY id",
  "SELECT * FROM nowhere",
  "SELEC",
  "SELECT 1 WHERE 0",
  "SELECT 1; -- no more\n;",
];

Deno.test("SqliteClient returns the same results as the library's client", async () => {
  using theirs = disposable(library());
  using ours = disposable(new SqliteClient(":memory:"));
  for (const statement of SCRIPT) {
    assert.deepEqual(
      await readOutcome(() => answerTo(ours.client, statement)),
      await readOutcome(() => answerTo(theirs.client, statement)),
      JSON.stringify(statement),
    );
  }
});

const writeArbitrary = fc.oneof(
  fc.record({
    sql: fc.constant("INSERT INTO t (id, name) VALUES (?, ?)"),
    args: fc.tuple(fc.nat(5), fc.string()),
  }),
  fc.record({
    sql: fc.constantFrom(
      "DELETE FROM t WHERE id = ?",
      "UPDATE t SET id = id + 1 WHERE id = ?",
    ),
    args: fc.tuple(fc.nat(5)),
  }),
);

Deno.test("a batch is executed as a whole or not at all, as with the library's client", async () => {
  const batches = fc.array(fc.array(writeArbitrary, { minLength: 1 }));
  await fc.assert(
    fc.asyncProperty(batches, async (given) => {
      using theirs = disposable(library());
      using ours = disposable(new SqliteClient(":memory:"));
      for (const { client } of [theirs, ours]) {
        await client.execute(
          "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)",
        );
      }
      for (const statements of given) {
        const [their, our] = [theirs, ours].map(({ client }) =>
          readOutcome(async () => {
            const results = await client.batch(statements, "write");
            return results.map(({ rowsAffected }) => rowsAffected);
          })
        );
        assert.deepEqual(await our, await their);
      }
      assert.deepEqual(
        await answerTo(ours.client, "SELECT * FROM t"),
        await answerTo(theirs.client, "SELECT * FROM t"),
      );
    }),
    { numRuns: 50 },
  );
});

Deno.test("statements that left the cache are prepared again", async () => {
  using ours = disposable(new SqliteClient(":memory:"));
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < 1_000; number++) {
      const { rows } = await ours.client.execute(`SELECT ${number} AS n`);
      assert.equal(rows[0]?.n, number);
    }
  }
});

Deno.test("a prepared statement returns a column that was added", async () => {
  using ours = disposable(new SqliteClient(":memory:"));
  await ours.client.execute("CREATE TABLE t (a)");
  await ours.client.execute("INSERT INTO t VALUES (1)");
  const read = async () =>
    Object.entries(
      (await ours.client.execute("SELECT * FROM t")).rows[0] ?? {},
    );
  assert.deepEqual(await read(), [["a", 1]]);
  await ours.client.execute("ALTER TABLE t ADD COLUMN b DEFAULT 2");
  assert.deepEqual(await read(), [["a", 1], ["b", 2]]);
});

Deno.test("a column that was added by a statement after a comment is returned, too", async () => {
  using ours = disposable(new SqliteClient(":memory:"));
  await ours.client.execute("CREATE TABLE t (a)");
  const read = async () =>
    (await ours.client.execute("SELECT * FROM t")).columns;
  assert.deepEqual(await read(), ["a"]);
  await ours.client.execute("/* why */ ALTER TABLE t ADD COLUMN b");
  assert.deepEqual(await read(), ["a", "b"]);
});

Deno.test("columns named like a position or length do not change positions", async () => {
  using ours = disposable(new SqliteClient(":memory:"));
  const { rows: [row] } = await ours.client.execute(
    'SELECT 2, 1, 0, 5 AS length, 6 AS "9"',
  );
  assert.deepEqual(Array.prototype.slice.call(row), [2, 1, 0, 5, 6]);
  assert.deepEqual(Object.entries(row ?? {}), [["9", 6]]);
});

Deno.test("text with several statements is rejected, and none is executed", async () => {
  using ours = disposable(new SqliteClient(":memory:"));
  for (
    const sql of [
      "CREATE TABLE t (a); CREATE TABLE u (a)",
      "/* ; */ CREATE TABLE t (a);\n-- and\nCREATE TABLE u (a);",
    ]
  ) {
    const refused = { code: "SQL_MANY_STATEMENTS" };
    await assert.rejects(ours.client.execute(sql), refused, sql);
    await assert.rejects(ours.client.batch([sql], "write"), refused, sql);
  }
  const { rows } = await ours.client.execute("SELECT * FROM sqlite_schema");
  assert.deepEqual(rows, []);
  for (const sql of ["SELECT ';' AS a;", "SELECT 1 /* ; x */", "SELECT 1;;"]) {
    assert.equal((await ours.client.execute(sql)).rows.length, 1, sql);
  }
});

Deno.test("text without a statement is rejected and does not end the process", async () => {
  using ours = disposable(new SqliteClient(":memory:"));
  for (const sql of ["", ";", "-- ; x", "/* ; x", "\0; x"]) {
    await assert.rejects(ours.client.execute(sql), Error, sql);
  }
});

Deno.test("calls of a closed client and interactive transactions are rejected", async () => {
  const client = new SqliteClient(":memory:");
  await assert.rejects(client.transaction(), /expected a batch/);
  client.close();
  client.close();
  await assert.rejects(client.execute("SELECT 1"), { code: "SQLITE_CANTOPEN" });
});

function disposable(client: Client): Disposable & { readonly client: Client } {
  return { client, [Symbol.dispose]: () => client.close() };
}
