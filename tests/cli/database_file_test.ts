import assert from "node:assert/strict";
import { join } from "node:path";
import {
  fileExists,
  findDatabaseFile,
  openExisting,
  resolveDatabaseSettings,
} from "../../src/cli/database_file.ts";
import { cli } from "../support/cli.ts";
import { silent } from "../support/silent_output.ts";

async function withFolder(act: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    await act(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("findDatabaseFile() returns the path of a file, by default in the data folder, and none for other databases", () =>
  withFolder(async (dir) => {
    const find = async (database_url?: string) =>
      findDatabaseFile(
        await resolveDatabaseSettings({ data_dir: dir, database_url }, silent),
      );
    assert.equal(await find(), join(dir, "browsergrid.db"));
    assert.equal(await find(`file:${dir}/other.db`), join(dir, "other.db"));
    assert.equal(await find("libsql://grid.example"), undefined);
    assert.equal(await find(":memory:"), undefined);
  }));

Deno.test("openExisting() opens a database that is there, and does not create one", () =>
  withFolder(async (dir) => {
    const settings = await resolveDatabaseSettings({ data_dir: dir }, silent);
    await assert.rejects(
      openExisting(settings),
      /^Error: Cannot open database ".*": it does not exist, expected one created/,
    );
    assert.deepEqual(await Array.fromAsync(Deno.readDir(dir)), []);
    await cli("createdb", "--data-dir", dir);
    using db = await openExisting(settings);
    const { rows } = await db.client.execute("SELECT 0 AS n");
    assert.equal(Number(rows[0]?.n), 0);
  }));

Deno.test("pathExists() is true for files and folders, and false below a file", () =>
  withFolder(async (dir) => {
    const file = join(dir, "file");
    await Deno.writeTextFile(file, "");
    assert.deepEqual(
      await Promise.all(
        [dir, file, join(dir, "other"), join(file, "below")].map(fileExists),
      ),
      [true, true, false, false],
    );
  }));
