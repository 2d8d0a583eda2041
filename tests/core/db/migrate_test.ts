import assert from "node:assert/strict";
import { openDatabase } from "../../../src/core/db/client.ts";
import {
  migrate,
  type Migration,
  migrationStatus,
  PROJECT_MIGRATIONS,
  readMigrations,
} from "../../../src/core/db/migrate.ts";

const one: Migration = { name: "0000_a", statements: ["CREATE TABLE a (x)"] };
const two: Migration = { name: "0001_b", statements: ["CREATE TABLE b (x)"] };
const broken: Migration = {
  name: "0001_b",
  statements: ["CREATE TABLE b (x)", "CREATE TABLE a (x)"],
};

Deno.test("migrate() applies what is missing, once, and status shows it", async () => {
  using db = await openDatabase(":memory:");
  assert.deepEqual(await migrate(db, [one], 5), ["0000_a"]);
  assert.deepEqual(await migrate(db, [one, two], 6), ["0001_b"]);
  assert.deepEqual(await migrate(db, [one, two], 7), []);
  assert.deepEqual(await migrationStatus(db, [one, two]), [
    { name: "0000_a", unknown: false, appliedAt: 5 },
    { name: "0001_b", unknown: false, appliedAt: 6 },
  ]);
});

Deno.test("migrate() changes nothing when a statement fails", async () => {
  using db = await openDatabase(":memory:");
  await migrate(db, [one], 1);
  await assert.rejects(migrate(db, [one, broken], 2), /already exists/);
  assert.deepEqual(await migrate(db, [one, two], 3), ["0001_b"]);
});

Deno.test("migrate() refuses a database that has what it does not know", async () => {
  using db = await openDatabase(":memory:");
  await migrate(db, [one, two], 1);
  await assert.rejects(
    migrate(db, [one], 2),
    /"0001_b", which this version does not know/,
  );
});

Deno.test("migrate() refuses a migration that comes before an applied one", async () => {
  using db = await openDatabase(":memory:");
  await migrate(db, [two], 1);
  await assert.rejects(
    migrate(db, [one, two], 2),
    /"0000_a" is missing, but "0001_b" after it is applied/,
  );
});

Deno.test("migrate() by two at once applies each migration once", async () => {
  const folder = await Deno.makeTempDir();
  try {
    using first = await openDatabase(`file:${folder}/a.db`);
    using second = await openDatabase(`file:${folder}/a.db`);
    const migrations = await readMigrations(PROJECT_MIGRATIONS);
    const applied = await Promise.all([
      migrate(first, migrations, 1),
      migrate(second, migrations, 1),
    ]);
    assert.deepEqual(applied.flat().sort(), migrations.map(({ name }) => name));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
