import assert from "node:assert/strict";
import { cli } from "../../support/cli.ts";
import { openDatabase } from "../../../src/db/client.ts";

/** A temporary data folder without a database. Disposal removes it. */
async function openFolder() {
  const path = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  const database = `file:${path}/browsergrid.db`;
  return {
    path,
    database,
    run: (...line: readonly string[]) => cli(...line, "--data-dir", path),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

Deno.test("migrate without a subcommand applies every migration, in order and once", async () => {
  await using folder = await openFolder();
  const first = JSON.parse((await folder.run("migrate", "--json")).out);
  assert.ok(first.applied.length > 5);
  assert.deepEqual(first.applied, first.applied.toSorted());
  assert.equal(first.database, folder.database);
  const second = JSON.parse((await folder.run("migrate", "up", "--json")).out);
  assert.deepEqual(second.applied, []);
});

Deno.test("migrate status lists each migration with its time, before and after", async () => {
  await using folder = await openFolder();
  const before = JSON.parse((await folder.run("migrate", "status")).out);
  assert.deepEqual(before.head, ["migration", "applied"]);
  assert.ok(
    before.rows.every(([, applied]: readonly string[]) => applied === "no"),
  );
  await folder.run("migrate");
  const after = JSON.parse((await folder.run("migrate", "status")).out);
  assert.equal(after.rows.length, before.rows.length);
  for (const [name, applied] of after.rows) {
    assert.match(applied, /^\d{4}-\d\d-\d\dT.*Z$/, name);
  }
});

Deno.test("migrate status names a migration that this version does not know, and migrate and serve reject the database", async () => {
  await using folder = await openFolder();
  await folder.run("migrate");
  {
    using db = await openDatabase(folder.database);
    await db.client.execute(
      "INSERT INTO schema_migrations (name, applied_at, version) VALUES ('9999_future', 1, '9.1.0')",
    );
  }
  const { out } = await folder.run("migrate", "status");
  const row = JSON.parse(out).rows.find(([name]: readonly string[]) =>
    name === "9999_future"
  );
  assert.match(row[1], /\(not known to this version\)$/);
  for (const line of [["migrate"], ["serve"], ["serve", "--no-migrate"]]) {
    const rejected = await folder.run(...line);
    assert.equal(rejected.code, 1, line.join(" "));
    assert.match(
      rejected.err,
      /^error: Cannot use the database: version 9\.1\.0 has changed it, .*"9999_future", expected browsergrid 9\.1\.0 or newer/,
    );
  }
});

Deno.test("migrate status names migrations of an app that is not installed", async () => {
  await using folder = await openFolder();
  await folder.run("migrate");
  {
    using db = await openDatabase(folder.database);
    await db.client.execute(
      "INSERT INTO schema_migrations (name, applied_at) VALUES ('notes/0000_a', 1)",
    );
  }
  const { out } = await folder.run("migrate", "status");
  assert.match(out, /"notes\/0000_a","[^"]*\(its app is not installed\)"/);
  assert.match((await folder.run("migrate")).out, /is up to date$/);
});

Deno.test("createdb makes the database where --database-url says", async () => {
  await using folder = await openFolder();
  const url = `file:${folder.path}/other.db`;
  const made = await folder.run("createdb", "--database-url", url);
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /other\.db: 0000/);
  const files = await Array.fromAsync(Deno.readDir(folder.path));
  assert.ok(files.some(({ name }) => name === "other.db"));
  assert.ok(!files.some(({ name }) => name === "browsergrid.db"));
});

Deno.test("a database that cannot be opened ends with 1, and one of an unknown kind with 2", async () => {
  await using folder = await openFolder();
  const missing = await folder.run(
    ...["migrate", "--database-url", `file:${folder.path}/no/such/folder.db`],
  );
  assert.equal(missing.code, 1);
  assert.match(
    missing.err,
    /^error: Cannot use the database now: it cannot be reached, opened/,
  );
  const unknown = await folder.run("migrate", "--database-url", "mysql://a");
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /expected file:PATH, :memory: or a URL/);
});

Deno.test("a token in the database's URL is not printed", async () => {
  await using folder = await openFolder();
  const { code, err, out } = await folder.run(
    ...["migrate", "--database-url"],
    "http://127.0.0.1:1/?authToken=secret-of-the-database",
  );
  assert.equal(code, 1);
  assert.ok(!/secret-of/.test(out + err), out + err);
});
