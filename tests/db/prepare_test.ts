import assert from "node:assert/strict";
import { eq, sql } from "drizzle-orm";
import { blob, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Database } from "../../src/core/database.ts";
import { batchNamed } from "../../src/db/batch_named.ts";
import { openDatabase } from "../../src/db/client.ts";
import { type Bind, prepare } from "../../src/db/prepare.ts";

const things = sqliteTable("things", {
  id: integer().primaryKey(),
  name: text(),
  labels: text({ mode: "json" }).$type<Record<string, string>>(),
  used: integer({ mode: "boolean" }),
});

const other = sqliteTable("other", {
  id: integer().primaryKey(),
  bytes: blob({ mode: "buffer" }),
});

type Thing = typeof things.$inferSelect;

const insertThing = prepare(({ orm }, bind: Bind<Thing>) => ({
  inserted: orm.run(sql`INSERT INTO ${things} VALUES (${bind("id")},
    ${bind("name")}, ${bind("labels", things.labels)},
    ${bind("used", things.used)})`),
}));

const byId = prepare(({ orm }, bind: Bind<{ id: number }>) => ({
  found: orm.select().from(things).where(eq(things.id, bind("id"))),
}));

async function openThings(): Promise<Database> {
  const db = await openDatabase(":memory:");
  await db.orm.run(
    sql`CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, labels TEXT, used INTEGER)`,
  );
  return db;
}

Deno.test("a prepared statement stores values in the form of their columns, and reads them back", async () => {
  using db = await openThings();
  const whole = { id: 1, name: "a", labels: { team: "x" }, used: true };
  const empty = { id: 2, name: null, labels: null, used: null };
  await insertThing(db, whole).inserted;
  await insertThing(db, empty).inserted;
  assert.deepEqual(await byId(db, { id: 1 }).found, [whole]);
  assert.deepEqual(await byId(db, { id: 2 }).found, [empty]);
  const stored = await db.orm.all(
    sql`SELECT typeof(labels) AS labels, typeof(used) AS used FROM things`,
  );
  assert.deepEqual(stored, [
    { labels: "text", used: "integer" },
    { labels: "null", used: "null" },
  ]);
});

Deno.test("a prepared statement returns what the query builder returns, whatever it selects", async () => {
  using db = await openThings();
  await insertThing(db, { id: 1, name: "a", labels: null, used: true })
    .inserted;
  const build = ({ orm }: Database) => ({
    flat: orm.select({
      id: things.id,
      used: things.used,
      upper: sql<string>`upper(${things.name})`.as("upper"),
      length: sql<string>`length(${things.name})`.mapWith(String),
      missing: things.labels,
    }).from(things),
    inner: orm.select({ id: things.id, rest: { used: things.used } })
      .from(things),
    joined: orm.select().from(things).leftJoin(other, eq(other.id, 2)),
    both: orm.select().from(things).innerJoin(other, eq(other.id, things.id)),
    bytes: orm.select({
      bytes: sql<Uint8Array>`x'0102'`.mapWith(other.bytes),
      column: other.bytes,
    }).from(things).leftJoin(other, eq(other.id, things.id)),
    changed: orm.update(things).set({ used: false }).returning(),
  });
  await db.orm.run(
    sql`CREATE TABLE other (id INTEGER PRIMARY KEY, bytes BLOB)`,
  );
  await db.orm.run(sql`INSERT INTO other VALUES (1, x'0102')`);
  const expected = await batchNamed(db.orm, build(db));
  await db.orm.update(things).set({ used: true });
  assert.deepEqual(await batchNamed(db.orm, prepare(build)(db, {})), expected);
});

Deno.test("prepared statements of several groups run in one batch with others, in one round trip", async () => {
  using db = await openThings();
  const before = db.trips();
  const { inserted, found, count } = await batchNamed(db.orm, {
    ...insertThing(db, { id: 7, name: "a", labels: {}, used: false }),
    ...byId(db, { id: 7 }),
    count: db.orm.all<{ n: number }>(sql`SELECT count(*) AS n FROM things`),
  });
  assert.equal(db.trips() - before, 1);
  assert.equal(inserted.rowsAffected, 1);
  assert.equal(found[0]?.name, "a");
  assert.equal(count[0]?.n, 1);
});

Deno.test("prepared statements are built once for each database", async () => {
  let builds = 0;
  const counted = prepare(({ orm }, bind: Bind<{ n: number }>) => {
    builds++;
    return { rows: orm.all<{ n: number }>(sql`SELECT ${bind("n")} AS n`) };
  });
  using one = await openDatabase(":memory:");
  using other = await openDatabase(":memory:");
  assert.equal(builds, 0);
  const read = async (db: Database, n: number) =>
    (await counted(db, { n }).rows).map((row) => row.n);
  assert.deepEqual(await read(one, 1), [1]);
  assert.deepEqual(await read(one, 2), [2]);
  assert.equal(builds, 1);
  assert.deepEqual(await read(other, 3), [3]);
  assert.equal(builds, 2);
});

Deno.test("a list of prepared statements keeps its order", async () => {
  using db = await openThings();
  const change = prepare(({ orm }, bind: Bind<{ id: number }>) => ({
    all: [
      orm.insert(things).values({ id: sql`${bind("id")}`, name: "first" }),
      orm.update(things).set({ name: "second" }).returning(),
    ],
    one: orm.select({ name: things.name }).from(things),
  }));
  const { all, one } = await batchNamed(db.orm, change(db, { id: 1 }));
  assert.equal(all[0].rowsAffected, 1);
  assert.deepEqual(all[1].map(({ id, name }) => [id, name]), [[1, "second"]]);
  assert.deepEqual(one, [{ name: "second" }]);
});

Deno.test("a prepared statement rejects an object that no column encodes", async () => {
  using db = await openThings();
  const wrong = prepare(({ orm }, bind: Bind<{ labels: object }>) => ({
    rows: orm.all(sql`SELECT ${bind("labels")}`),
  }));
  await assert.rejects(
    async () => await wrong(db, { labels: {} }).rows,
    /Cannot bind the value/,
  );
});

Deno.test("a prepared statement that fails rejects with the database's error, and can run again", async () => {
  using db = await openThings();
  const row = { id: 1, name: null, labels: null, used: null };
  await insertThing(db, row).inserted;
  await assert.rejects(
    async () => await insertThing(db, row).inserted,
    { code: "SQLITE_CONSTRAINT" },
  );
  assert.equal(
    (await insertThing(db, { ...row, id: 2 }).inserted).rowsAffected,
    1,
  );
});
