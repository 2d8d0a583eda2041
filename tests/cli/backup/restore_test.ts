import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { cli } from "../../support/cli.ts";
import {
  runInTerminal,
  terminalMissing,
} from "../../support/run_in_terminal.ts";
import { diskTest, mountSmallDisk } from "../../support/small_disk.ts";

/** A folder with a database, whose pool has the name of its state, and a backup of an earlier state. */
async function openFolder(under?: string) {
  const path = await Deno.makeTempDir({
    prefix: "browsergrid-test-",
    ...(under === undefined ? {} : { dir: under }),
  });
  const database = join(path, "browsergrid.db");
  const backup = join(path, "b.db");
  const run = (...line: readonly string[]) => cli(...line, "--data-dir", path);
  const sql = async (text: string) => {
    const { code, out, err } = await run("dbshell", "--json", "-c", text);
    assert.equal(code, 0, err);
    return out;
  };
  await run("createdb");
  await sql("INSERT INTO grid (only, id) VALUES (1, 'before')");
  await run("backup", backup);
  await sql("UPDATE grid SET id = 'after'");
  return {
    path,
    database,
    backup,
    run,
    sql,
    readState: () => sql("SELECT id FROM grid"),
    /** Lists the files without those that SQLite keeps beside an open database. */
    list: async () =>
      (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name)
        .filter((name) => !/-(shm|wal)$/.test(name)).sort(),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

Deno.test("restore replaces the database and keeps the replaced one beside it", async () => {
  await using folder = await openFolder();
  const { code, out, err } = await folder.run(
    ...["restore", folder.backup, "--yes", "--json"],
  );
  assert.equal(code, 0, err);
  const { replaced } = JSON.parse(out);
  assert.match(await folder.readState(), /before/);
  const url = `file:${replaced}`;
  const old = await cli(
    ...["dbshell", "--database-url", url, "-c", "SELECT id FROM grid"],
  );
  assert.match(old.out, /after/);
  const { mode } = await Deno.stat(folder.database);
  assert.equal((mode ?? 0) & 0o777, 0o600);
  assert.ok(!(await folder.list()).some((name) => name.endsWith(".part")));
});

Deno.test("restore asks for --yes where there is no terminal, but not for a new database", async () => {
  await using folder = await openFolder();
  const { code, err } = await folder.run("restore", folder.backup);
  assert.equal(code, 2);
  assert.match(err, /it would replace database ".*", expected --yes$/);
  assert.match(await folder.readState(), /after/);
  const dataDir = join(folder.path, "new");
  const made = await cli("restore", folder.backup, "--data-dir", dataDir);
  assert.equal(made.code, 0, made.err);
});

const noTerminal = await terminalMissing();
// deno-lint-ignore no-console -- the reason of a skipped test is its result
if (noTerminal) console.log(`skipped: the question of restore: ${noTerminal}`);

Deno.test({
  name:
    "restore asks in a terminal, and replaces nothing unless the answer is y",
  ignore: noTerminal !== undefined,
  async fn() {
    await using folder = await openFolder();
    const line = ["restore", folder.backup, "--data-dir", folder.path];
    for (
      const [answer, code, state] of [["", 1, "after"], ["y", 0, "before"]]
    ) {
      await using terminal = runInTerminal(line);
      await terminal.type("", /Replace .*browsergrid\.db\? \[y\/N\]/);
      assert.equal(await terminal.end(`${answer}\r`), code);
      assert.match(await folder.readState(), new RegExp(String(state)));
    }
  },
});

Deno.test("restore rejects files that are no database of a grid, the database itself, and one of a newer version", async () => {
  await using folder = await openFolder();
  const other = join(folder.path, "other.db");
  {
    using db = new DatabaseSync(other);
    db.exec("CREATE TABLE notes (x)");
  }
  const text = join(folder.path, "text.db");
  await Deno.writeTextFile(text, "text".repeat(500));
  const newer = join(folder.path, "newer.db");
  await Deno.copyFile(folder.backup, newer);
  {
    using db = new DatabaseSync(newer);
    db.exec("INSERT INTO schema_migrations VALUES ('0099_later', 1, '9.1.0')");
  }
  const cut = join(folder.path, "cut.db");
  await Deno.copyFile(folder.backup, cut);
  await Deno.truncate(cut, 200 * 1_024);
  const expected = [
    [join(folder.path, "missing.db"), /it does not exist, expected a file of/],
    [other, /other\.db": it is not the database of a grid/],
    [text, /text\.db": it is not the database of a grid/],
    [cut, /cut\.db".*: the file is damaged/],
    [folder.database, /it is the database itself, expected a backup/],
    [
      newer,
      /Cannot use backup ".*newer\.db": version 9\.1\.0 has changed it, .*"0099_later", expected browsergrid 9\.1\.0 or newer/,
    ],
  ] as const;
  for (const [file, message] of expected) {
    const { code, err } = await folder.run("restore", file, "--yes");
    assert.equal(code, 1, file);
    assert.match(err, message);
    assert.match(await folder.readState(), /after/);
  }
  assert.ok(!(await folder.list()).some((name) => name.endsWith(".part")));
});

/** Leaves the log of a writer that was killed beside the database. Returns the name of the log. */
async function leaveLog(database: string): Promise<string> {
  const endings = ["-wal", "-shm"];
  {
    using db = new DatabaseSync(database);
    db.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
    db.exec("CREATE TABLE later (x); UPDATE grid SET id = 'logged'");
    // The writer would remove them at its end.
    for (const ending of endings) {
      await Deno.copyFile(database + ending, `${database}.left${ending}`);
    }
  }
  for (const ending of endings) {
    await Deno.rename(`${database}.left${ending}`, database + ending);
  }
  return `${database}-wal`;
}

for (const damage of ["missing", 0, 100] as const) {
  const what = damage === "missing" ? damage : `overwritten from ${damage}`;
  Deno.test(`restore replaces a database that is ${what}, and the log of a killed writer is not applied to the new one`, async () => {
    await using folder = await openFolder();
    const log = await leaveLog(folder.database);
    if (damage === "missing") {
      await Deno.remove(folder.database);
    } else {
      using file = await Deno.open(folder.database, { write: true });
      await file.seek(damage, Deno.SeekMode.Start);
      await file.write(new TextEncoder().encode("text".repeat(1_000)));
    }
    const { code, err } = await folder.run("restore", folder.backup, "--yes");
    assert.equal(code, 0, err);
    await assert.rejects(Deno.stat(log), Deno.errors.NotFound);
    assert.match(await folder.readState(), /before/);
  });
}

Deno.test("restore warns if the key of the backup's secrets is not there, or another", async () => {
  await using folder = await openFolder();
  const repeatDigit = (digit: string) => digit.repeat(64);
  const restore = async (key?: string) => {
    if (key) await Deno.writeTextFile(join(folder.path, "encryption.key"), key);
    const { code, err } = await folder.run("restore", folder.backup, "--yes");
    assert.equal(code, 0, err);
    return err;
  };
  assert.equal(await restore(), "");
  await Deno.writeTextFile(
    join(folder.path, "encryption.key"),
    repeatDigit("1"),
  );
  // Writes the first secret of the grid.
  await folder.run("key", "create", "one", "--role", "admin", "--direct");
  await folder.run("backup", folder.backup, "--force");
  assert.equal(await restore(), "");
  assert.match(
    await restore(repeatDigit("2")),
    /^warning: The key of the secrets/,
  );
  assert.match(await restore("no key"), /^warning: The key of the secrets/);
  await Deno.remove(join(folder.path, "encryption.key"));
  assert.match(await restore(), /put the encryption\.key of its grid at/);
});

Deno.test("restore replaces the database that a link names, and keeps the link", async () => {
  await using folder = await openFolder();
  const link = join(folder.path, "browsergrid.db");
  const database = join(folder.path, "elsewhere.db");
  await Deno.rename(link, database);
  await Deno.symlink(database, link);
  const { code, err } = await folder.run("restore", folder.backup, "--yes");
  assert.equal(code, 0, err);
  assert.equal(await Deno.readLink(link), database);
  assert.ok(
    (await folder.list()).some((name) =>
      /^elsewhere\.db\..*\.replaced$/.test(name)
    ),
  );
});

await diskTest(
  "on a full disk backup and restore fail with the reason, leave nothing and change nothing, and work as soon as there is space",
  async () => {
    await using disk = await mountSmallDisk();
    await using folder = await openFolder(disk.path);
    const before = await folder.list();
    await disk.fill();
    const target = join(folder.path, "full.db");
    for (
      const line of [["backup", target], ["restore", folder.backup, "--yes"]]
    ) {
      const { code, err } = await folder.run(...line);
      assert.equal(code, 1);
      assert.match(
        err,
        /the disk is full( or faulty)?, expected room for another copy$/,
      );
    }
    await disk.free();
    assert.deepEqual(await folder.list(), before);
    assert.match(await folder.readState(), /after/);
    assert.equal((await folder.run("backup", target)).code, 0);
    assert.equal((await folder.run("restore", folder.backup, "--yes")).code, 0);
    assert.match(await folder.readState(), /before/);
  },
);
