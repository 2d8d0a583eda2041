import assert from "node:assert/strict";
import type { InStatement } from "@libsql/client";
import fc from "fast-check";
import { openDatabase } from "../../src/db/client.ts";
import { type Database } from "../../src/core/database.ts";
import { toWellFormed } from "../../src/db/well_formed.ts";

/** Any text, and text that is made of little but what is special. */
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom(...'\\\\\\ud8300\0"{[x😀', "\ud83d", "\ude00"),
    size: "medium",
  }),
  fc.string({
    unit: fc.constantFrom("\\ud83d", "\\u0000", "\\", "\ud83d", "\ude00", "\0"),
  }),
);

/** Returns the expected text after `text` was stored. */
function fit(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}

/** Runs `check` on many texts, over one database with a table `t` of one column `x`. */
async function forAnyText(
  check: (db: Database, text: string) => Promise<void>,
): Promise<void> {
  using db = await openDatabase(":memory:");
  await db.client.execute("CREATE TABLE t (x TEXT)");
  await fc.assert(
    fc.asyncProperty(anyText, (text) => check(db, text)),
    { numRuns: 500 },
  );
}

async function readValues(
  { client }: Database,
  statement: InStatement,
): Promise<unknown[]> {
  const { rows } = await client.execute(statement);
  return rows.flatMap((row) => Object.values(row));
}

Deno.test("plain text is read back unchanged from a column, with U+FFFD for characters that UTF-8 cannot encode", async () => {
  await forAnyText(async (db, given) => {
    // Text that begins like JSON is taken for it.
    const text = `:${given}`;
    const [, , { rows } = { rows: [] }] = await db.client.batch([
      "DELETE FROM t",
      ["INSERT INTO t VALUES (?)", [text]],
      { sql: "SELECT x, x = ? FROM t", args: [text] },
    ]);
    assert.deepEqual(Object.values(rows[0] ?? {}), [fit(text), 1]);
  });
});

Deno.test("text within JSON is read back equally by SQLite's JSON functions and from a column, as a value and as a key", async () => {
  await forAnyText(async (db, text) => {
    const sql = "SELECT value FROM json_each(?)";
    const json = JSON.stringify([text, text]);
    assert.deepEqual(await readValues(db, { sql, args: [json] }), [
      fit(text),
      fit(text),
    ]);
    const plain = `:${text}`;
    const record = { x: text, y: { [plain]: 1 }, plain };
    assert.deepEqual(
      await readValues(db, {
        sql: `SELECT :json ->> 'x', (SELECT key FROM json_each(:json, '$.y')),
          json_object('x', :json ->> 'x') ->> 'x', :json ->> 'plain' = :plain`,
        args: { json: JSON.stringify(record), plain },
      }),
      [fit(text), fit(plain), fit(text), 1],
    );
  });
});

Deno.test("JSON text is parsed to the written value, with U+FFFD for characters that UTF-8 cannot encode, and keeps backslashes", async () => {
  await forAnyText(async (db, text) => {
    const [json] = await readValues(db, {
      sql: "SELECT ?",
      args: [JSON.stringify({ text, in: [JSON.stringify(text)] })],
    });
    assert.ok(typeof json === "string");
    assert.deepEqual(JSON.parse(json), {
      text: fit(text),
      in: [JSON.stringify(text)],
    });
  });
});

Deno.test("arguments are made well-formed in single statements, batches and migrations, by position and by name", async () => {
  using db = await openDatabase(":memory:");
  const { client } = db;
  await client.execute("CREATE TABLE t (x TEXT)");
  const sql = "INSERT INTO t SELECT ?1 ->> '$.x'";
  const json = JSON.stringify({ x: "cut \ud83d" });
  await client.execute(sql, [json]);
  await client.execute({ sql, args: [json] });
  await client.execute({
    sql: "INSERT INTO t SELECT $json ->> '$.x'",
    args: { json },
  });
  await client.batch([[sql, [json]], { sql, args: [json] }]);
  await client.migrate([{ sql, args: [json] }]);
  assert.deepEqual(
    await readValues(db, "SELECT x FROM t"),
    Array.from({ length: 6 }, () => "cut \ufffd"),
  );
});

Deno.test("values other than text, and well-formed text, are bound unchanged", () => {
  const args = [
    null,
    1,
    2n,
    true,
    new Uint8Array([0, 255]),
    new Date(0),
    "",
    "a 😀 b",
    "\\ud83d",
    JSON.stringify({ a: '\\ud83d\n\t"', b: "😀", c: "\\\\u0000" }),
  ];
  assert.deepEqual(toWellFormed({ sql: "x", args }), { sql: "x", args });
  assert.deepEqual(toWellFormed(["x", args]), { sql: "x", args });
  assert.deepEqual(toWellFormed({ sql: "x", args: { a: "b" } }), {
    sql: "x",
    args: { a: "b" },
  });
  assert.equal(toWellFormed("x"), "x");
  assert.equal(toWellFormed(["x"]), "x");
});

Deno.test("text of only backslashes or escapes takes time in proportion to its length", () => {
  for (const unit of ["\\", "\\\\u0000", "\0\\", "\ud83d"]) {
    const measure = (length: number) => {
      const args = [JSON.stringify([unit.repeat(length), "\0"])];
      const begin = performance.now();
      toWellFormed({ sql: "x", args });
      return performance.now() - begin;
    };
    measure(1_000);
    // Quadratic, this would take minutes.
    assert.ok(measure(300_000) < 2_000, unit);
  }
});
