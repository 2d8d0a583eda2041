import assert from "node:assert/strict";
import { sql } from "drizzle-orm";
import { batchNamed } from "../../src/db/batch_named.ts";
import { openDatabase } from "../../src/db/client.ts";

interface Row {
  readonly n: number;
}

Deno.test("batchNamed() returns each result under its statement's name, in one round trip", async () => {
  using db = await openDatabase(":memory:");
  const { orm } = db;
  const before = db.trips();
  const { table, inserted, rows, pair, none } = await batchNamed(orm, {
    table: orm.run(sql`CREATE TABLE numbers (n INTEGER)`),
    inserted: orm.run(sql`INSERT INTO numbers VALUES (1), (2)`),
    rows: orm.all<Row>(sql`SELECT n FROM numbers ORDER BY n`),
    pair: [
      orm.all<Row>(sql`SELECT n FROM numbers WHERE n = 1`),
      orm.run(sql`DELETE FROM numbers`),
    ],
    none: [],
  });
  assert.equal(db.trips() - before, 1);
  assert.deepEqual([table.rowsAffected, inserted.rowsAffected], [0, 2]);
  assert.deepEqual(rows.map(({ n }) => n), [1, 2]);
  const [ones, deleted] = pair;
  assert.deepEqual([ones.map(({ n }) => n), deleted.rowsAffected], [[1], 2]);
  assert.deepEqual(none, []);
});

Deno.test("batchNamed() without a statement makes no round trip", async () => {
  using db = await openDatabase(":memory:");
  const before = db.trips();
  assert.deepEqual(await batchNamed(db.orm, { none: [] }), { none: [] });
  assert.equal(db.trips(), before);
});

Deno.test("batchNamed() undoes every statement if one fails", async () => {
  using db = await openDatabase(":memory:");
  const { orm } = db;
  await orm.run(sql`CREATE TABLE numbers (n INTEGER PRIMARY KEY)`);
  await assert.rejects(batchNamed(orm, {
    first: orm.run(sql`INSERT INTO numbers VALUES (1)`),
    again: orm.run(sql`INSERT INTO numbers VALUES (1)`),
  }));
  assert.deepEqual(await orm.all(sql`SELECT n FROM numbers`), []);
});
