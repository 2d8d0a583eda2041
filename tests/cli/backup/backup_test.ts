import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { cli } from "../../support/cli.ts";

/** A folder with a database in its folder "grid". Disposal removes it. */
async function openFolder() {
  const path = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  const dataDir = join(path, "grid");
  const run = (...line: readonly string[]) =>
    cli(...line, "--data-dir", dataDir);
  await run("createdb");
  return {
    path,
    dataDir,
    run,
    list: async (folder = path) =>
      (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name)
        .sort(),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

Deno.test("backup writes one file that only its owner can read, and prints its path and size", async () => {
  await using folder = await openFolder();
  const file = join(folder.path, "b.db");
  const { code, out, err } = await folder.run("backup", file);
  assert.equal(code, 0, err);
  assert.match(out, /^Backed up .*browsergrid\.db to .*\/b\.db \(\d+ KB\)$/);
  const { mode, size } = await Deno.stat(file);
  assert.equal((mode ?? 0) & 0o777, 0o600);
  assert.deepEqual(await folder.list(), ["b.db", "grid"]);
  using db = new DatabaseSync(file, { readOnly: true });
  const found = db.prepare("SELECT count(*) AS n FROM schema_migrations").get();
  assert.ok(Number(found?.["n"]) > 5);
  const again = await folder.run("backup", file, "--force", "--json");
  assert.partialDeepStrictEqual(JSON.parse(again.out), {
    file,
    size_bytes: size,
  });
});

Deno.test("backup chooses a name with the time in a folder", async () => {
  await using folder = await openFolder();
  const { code } = await folder.run("backup", folder.path);
  assert.equal(code, 0);
  const [name = ""] = await folder.list();
  assert.match(name, /^browsergrid-\d{8}T\d{6}Z\.db$/);
});

Deno.test("backup replaces a file only with --force, and never the database", async () => {
  await using folder = await openFolder();
  const file = join(folder.path, "b.db");
  await Deno.writeTextFile(file, "before");
  const { code, err } = await folder.run("backup", file);
  assert.equal(code, 1);
  assert.match(err, /b\.db": it exists, expected a new file; .* --force$/);
  assert.equal(await Deno.readTextFile(file), "before");
  assert.equal((await folder.run("backup", file, "--force")).code, 0);
  const database = join(folder.dataDir, "browsergrid.db");
  await Deno.symlink(database, join(folder.path, "link.db"));
  for (const each of [database, join(folder.path, "link.db")]) {
    const own = await folder.run("backup", each, "--force");
    assert.equal(own.code, 1);
    assert.match(own.err, /it is the database, expected another file/);
  }
});

Deno.test("backup replaces no pipe and no database that is in use, even with --force", async () => {
  await using folder = await openFolder();
  const pipe = join(folder.path, "pipe");
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  const used = join(folder.path, "used.db");
  await Deno.writeTextFile(used, "another database");
  await Deno.writeTextFile(`${used}-wal`, "its log");
  for (
    const [file, reason] of [[pipe, "no file"], [used, "a database in use"]]
  ) {
    const { code, err } = await folder.run("backup", file ?? "", "--force");
    assert.equal(code, 1);
    assert.equal(
      err,
      `error: Cannot write backup "${file}": it is ${reason}, expected a file that may be replaced`,
    );
  }
  assert.equal(await Deno.readTextFile(used), "another database");
});

Deno.test({
  name: "backup and restore as root reject the folder of another user",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using folder = await openFolder();
    const file = join(folder.path, "b.db");
    assert.equal((await folder.run("backup", file)).code, 0);
    const theirs = join(folder.path, "theirs");
    await Deno.mkdir(theirs);
    await Deno.chown(theirs, 12_345, 12_345);
    await Deno.chown(folder.dataDir, 12_345, 12_345);
    const backup = await folder.run("backup", join(theirs, "b.db"));
    const restore = await folder.run("restore", file, "--yes");
    for (const { code, err } of [backup, restore]) {
      assert.equal(code, 1);
      assert.match(err, /as root: folder ".*" belongs to user 12345, expected/);
    }
    assert.deepEqual(await folder.list(theirs), []);
  },
});

Deno.test("backup and restore name what to use for a remote database, and reject one in memory", async () => {
  const remote = "libsql://grid.example?authToken=secret-of-the-database";
  for (const line of [["backup"], ["restore", "b.db"]]) {
    const { code, err } = await cli(...line, "--database-url", remote);
    assert.equal(code, 1);
    assert.match(err, /"libsql:\/\/grid\.example": it is on a remote server/);
    assert.match(err, /turso db shell NAME \.dump/);
    assert.doesNotMatch(err, /secret-of/);
    const memory = await cli(...line, "--database-url", ":memory:");
    assert.equal(memory.code, 1);
    assert.match(memory.err, /":memory:": it ends with its server/);
  }
});

Deno.test("backup rejects a missing database and a file of another program, and leaves no file", async () => {
  await using folder = await openFolder();
  const file = join(folder.path, "b.db");
  const other = join(folder.path, "other.db");
  new DatabaseSync(other).close();
  await Deno.writeTextFile(join(folder.path, "text.db"), "text".repeat(500));
  const expected = {
    missing: /"[^"]*missing\.db": it does not exist, expected one of/,
    other: /other\.db": it is not the database of a grid/,
    text: /text\.db": it is not the database of a grid/,
  };
  for (const [name, message] of Object.entries(expected)) {
    const url = `file:${folder.path}/${name}.db`;
    const { code, err } = await cli("backup", file, "--database-url", url);
    assert.equal(code, 1);
    assert.match(err, message);
  }
  const nowhere = await folder.run("backup", join(folder.path, "no", "b.db"));
  assert.match(nowhere.err, /there is no such folder, expected an existing/);
  assert.deepEqual(await folder.list(), ["grid", "other.db", "text.db"]);
});

Deno.test("backup removes the unfinished files of killed ones after an hour, those of chosen names after a day, and no other file", async () => {
  await using folder = await openFolder();
  const part = (name: string) => `${name}.${crypto.randomUUID()}.part`;
  const timed = "browsergrid-20260101T000000Z.db";
  const fresh = part("b.db");
  const kept = [
    ...[fresh, part("c.db"), part("b.db.x"), "b.db.old.part", "b.db.txt"],
    part("browsergrid.db"),
  ];
  const recent = part(timed);
  const gone = [part("b.db"), part(timed)];
  for (const name of [...kept, recent, ...gone]) {
    const path = join(folder.path, name);
    await Deno.writeTextFile(path, "");
    const hours = name === fresh ? 0.9 : name === recent ? 23 : 25;
    const time = new Date(Date.now() - hours * 3_600_000);
    await Deno.utime(path, time, time);
  }
  assert.equal((await folder.run("backup", join(folder.path, "b.db"))).code, 0);
  const after = await folder.list();
  assert.deepEqual(
    after,
    ["b.db", "grid", ...kept, recent, gone[1] ?? ""].sort(),
  );
  const { out } = await folder.run("backup", folder.path, "--json");
  const { file } = JSON.parse(out);
  assert.deepEqual(
    await folder.list(),
    ["b.db", "grid", ...kept, recent, basename(file)].sort(),
  );
});
