import assert from "node:assert/strict";
import { openDatabase } from "../../src/db/client.ts";
import {
  migrate,
  migrationStatus,
  readMigrations,
  readProjectMigrations,
  rejectNewerDatabase,
} from "../../src/db/migrate.ts";
import type { Migration } from "../../src/db/migrations/status.ts";

const one: Migration = { name: "0000_a", statements: ["CREATE TABLE a (x)"] };
const two: Migration = { name: "0001_b", statements: ["CREATE TABLE b (x)"] };
const broken: Migration = {
  name: "0001_b",
  statements: ["CREATE TABLE b (x)", "CREATE TABLE a (x)"],
};

Deno.test("migrate() applies missing migrations once, and the status lists them", async () => {
  using db = await openDatabase(":memory:");
  assert.deepEqual(await migrate(db, [one], { now: 5 }), ["0000_a"]);
  assert.deepEqual(await migrate(db, [one, two], { now: 6 }), ["0001_b"]);
  assert.deepEqual(await migrate(db, [one, two], { now: 7 }), []);
  assert.deepEqual(await migrationStatus(db, [one, two]), [
    { name: "0000_a", unknown: false, appliedAt: 5 },
    { name: "0001_b", unknown: false, appliedAt: 6 },
  ]);
});

Deno.test("migrate() changes nothing when a statement fails", async () => {
  using db = await openDatabase(":memory:");
  await migrate(db, [one], { now: 1 });
  await assert.rejects(
    migrate(db, [one, broken], { now: 2 }),
    /already exists/,
  );
  assert.deepEqual(await migrate(db, [one, two], { now: 3 }), ["0001_b"]);
});

Deno.test("migrate() rejects a database with an unknown migration", async () => {
  using db = await openDatabase(":memory:");
  await migrate(db, [one, two], { now: 1 });
  await assert.rejects(
    migrate(db, [one], { now: 2 }),
    /a newer version has changed it, and this version does not know its migrations "0001_b", expected a newer version/,
  );
});

Deno.test("migrate() and rejectNewerDatabase() name the newest version that has applied unknown migrations, and change nothing", async () => {
  using db = await openDatabase(":memory:");
  const three = { name: "0002_c", statements: ["CREATE TABLE c (x)"] };
  await migrate(db, [one], { now: 1, version: "1.0.0" });
  await migrate(db, [one, two], { now: 2, version: "1.10.0" });
  await migrate(db, [one, two, three], { now: 3, version: "1.9.0" });
  const expected =
    /^MigrationError: Cannot use the database: version 1\.10\.0 has changed it, and version 1\.1\.0 does not know its migrations "0001_b", "0002_c", expected browsergrid 1\.10\.0 or newer; or restore a backup/;
  const known = [one, { ...two, name: "0001_other" }];
  await assert.rejects(
    migrate(db, known, { now: 4, version: "1.1.0" }),
    expected,
  );
  await assert.rejects(rejectNewerDatabase(db, known, "1.1.0"), expected);
  await rejectNewerDatabase(db, [one, two, three], "1.9.0");
  const status = await migrationStatus(db, [one, two, three]);
  assert.deepEqual(status.map(({ version }) => version), [
    "1.0.0",
    "1.10.0",
    "1.9.0",
  ]);
});

Deno.test("migrate() records versions also in a database of a version that recorded none", async () => {
  using db = await openDatabase(":memory:");
  await db.client.batch([
    "CREATE TABLE schema_migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL)",
    "INSERT INTO schema_migrations (name, applied_at) VALUES ('0000_a', 1)",
  ], "write");
  await migrate(db, [one, two], { now: 2, version: "1.0.0" });
  assert.deepEqual(await migrationStatus(db, [one, two]), [
    { name: "0000_a", unknown: false, appliedAt: 1 },
    { name: "0001_b", unknown: false, appliedAt: 2, version: "1.0.0" },
  ]);
  // As such a version does it.
  await db.client.execute(
    "INSERT INTO schema_migrations (name, applied_at) VALUES ('0002_c', 3)",
  );
});

Deno.test("migrate() rejects a missing migration before an applied one", async () => {
  using db = await openDatabase(":memory:");
  await migrate(db, [two], { now: 1 });
  await assert.rejects(
    migrate(db, [one, two], { now: 2 }),
    /"0000_a" is missing, but "0001_b" after it is applied/,
  );
});

Deno.test("two concurrent calls of migrate() apply each migration once", async () => {
  const folder = await Deno.makeTempDir();
  try {
    using first = await openDatabase(`file:${folder}/a.db`);
    using second = await openDatabase(`file:${folder}/a.db`);
    const migrations = await readProjectMigrations();
    const applied = await Promise.all([
      migrate(first, migrations, { now: 1 }),
      migrate(second, migrations, { now: 1 }),
    ]);
    assert.deepEqual(applied.flat().sort(), migrations.map(({ name }) => name));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("migrate() applies an app's migrations after the project's, keeps them without the app, and does not repeat them when the app returns", async () => {
  using db = await openDatabase(":memory:");
  const of = (app: string): Migration => ({
    name: `${app}/0000_a`,
    statements: [`CREATE TABLE ${app} (x)`],
  });
  const [notes, tags] = [of("notes"), of("tags")];
  assert.deepEqual(await migrate(db, [one, notes], { now: 1 }), [
    "0000_a",
    "notes/0000_a",
  ]);
  await db.client.execute("INSERT INTO notes VALUES (1)");
  assert.deepEqual(await migrate(db, [one, two, tags], { now: 2 }), [
    "0001_b",
    "tags/0000_a",
  ]);
  const status = await migrationStatus(db, [one, two, tags]);
  assert.deepEqual(status.at(-1), {
    name: "notes/0000_a",
    appliedAt: 1,
    unknown: false,
    uninstalled: true,
  });
  assert.deepEqual(await migrate(db, [one, two, notes, tags], { now: 3 }), []);
  const { rows } = await db.client.execute("SELECT x FROM notes");
  assert.equal(rows.length, 1);
});

Deno.test("migrate() rejects a gap in an installed app's migrations, and migrations of its newer version", async () => {
  using db = await openDatabase(":memory:");
  const [first, second] = ["0000_a", "0001_b"].map((name) => ({
    name: `notes/${name}`,
    statements: [`CREATE TABLE "${name}" (x)`],
  }));
  assert.ok(first && second);
  await migrate(db, [one, second], { now: 1 });
  await assert.rejects(
    migrate(db, [one, first, second], { now: 2 }),
    /"notes\/0000_a" is missing, but "notes\/0001_b" after it is applied/,
  );
  await assert.rejects(
    migrate(db, [one, first], { now: 2 }),
    /a newer version of app "notes" has changed it, and this version does not know its migrations "notes\/0001_b", expected that version of the app/,
  );
});

/** A folder with these SQL files and no journal. */
async function sqlFolder(
  files: Readonly<Record<string, string>>,
): Promise<AsyncDisposable & { readonly url: URL }> {
  const path = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  for (const [name, sql] of Object.entries(files)) {
    await Deno.writeTextFile(`${path}/${name}`, sql);
  }
  return {
    url: new URL(`file://${path}/`),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

Deno.test("readMigrations() without a journal reads the SQL files in the order of their names", async () => {
  await using folder = await sqlFolder({
    "0001_b.sql":
      "CREATE TABLE b (x DEFAULT 'a;b'); -- the end; really\n--> statement-breakpoint\nCREATE TRIGGER t AFTER INSERT ON b BEGIN DELETE FROM b; DELETE FROM b; END;\n",
    "0000_a.sql": "CREATE TABLE a (x);",
    "notes.txt": "",
  });
  const found = await readMigrations(folder.url, "app/");
  assert.deepEqual(
    found.map(({ name, statements }) => [name, statements.length]),
    [["app/0000_a", 1], ["app/0001_b", 2]],
  );
  using db = await openDatabase(":memory:");
  assert.equal((await migrate(db, found, { now: 1 })).length, 2);
});

Deno.test("readMigrations() rejects two statements in one, of which the driver would ignore the second", async () => {
  await using folder = await sqlFolder({
    "0000_a.sql": "CREATE TABLE a (x);\nCREATE TABLE b (x);",
  });
  await assert.rejects(
    readMigrations(folder.url, "app/"),
    /Cannot read migration "app\/0000_a": it has several statements in one, expected "--> statement-breakpoint"/,
  );
});

Deno.test("readMigrations() names the missing folder", async () => {
  await assert.rejects(
    readMigrations(new URL("file:///nowhere/migrations/")),
    /Cannot read the migrations in "file:\/\/\/nowhere\/migrations\/"/,
  );
});

Deno.test("the listed migrations of the project are those of the journal, in its order, and all files", async () => {
  const folder = new URL("../../migrations/", import.meta.url);
  const found = await readProjectMigrations();
  assert.deepEqual(found, await readMigrations(folder));
  const files = (await Array.fromAsync(Deno.readDir(folder)))
    .filter(({ name }) => name.endsWith(".sql"));
  assert.equal(found.length, files.length);
});
