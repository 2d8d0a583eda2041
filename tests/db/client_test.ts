import assert from "node:assert/strict";
import type { Client } from "@libsql/client";
import { systemClock } from "../../src/async/clock.ts";
import { isConstraintError, openDatabase } from "../../src/db/client.ts";
import { type Database } from "../../src/core/database.ts";
import { GridError } from "../../src/core/errors.ts";
import { lockDatabase } from "../support/database_lock.ts";

/** A database file with a table of parents and one of children, in a folder of its own. */
async function family(): Promise<
  AsyncDisposable & { readonly db: Database; readonly path: string }
> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-db-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const path = `${folder}/a.db`;
  const db = stack.use(await openDatabase(`file:${path}`));
  await db.client.batch([
    "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
    "CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id) ON DELETE CASCADE)",
    "INSERT INTO parent VALUES (1)",
  ]);
  const owned = stack.move();
  return { db, path, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function readValue(client: Client, sql: string): Promise<unknown> {
  return (await client.execute(sql)).rows[0]?.[0];
}

async function assertPragmas(client: Client): Promise<void> {
  assert.equal(await readValue(client, "PRAGMA journal_mode"), "wal");
  assert.equal(await readValue(client, "PRAGMA synchronous"), 1);
  assert.equal(await readValue(client, "PRAGMA foreign_keys"), 1);
}

Deno.test("openDatabase() sets journal mode, synchronous mode and foreign keys, also after a reconnect", async () => {
  await using files = await family();
  await assertPragmas(files.db.client);
  files.db.client.reconnect();
  await assertPragmas(files.db.client);
});

Deno.test({
  name: "only the owner can read a new database and its journal",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      using db = await openDatabase(`file:${folder}/new.db`);
      await db.client.execute("CREATE TABLE t (a)");
      const modes: Record<string, number> = {};
      for await (const { name } of Deno.readDir(folder)) {
        const { mode } = await Deno.stat(`${folder}/${name}`);
        modes[name] = (mode ?? 0) & 0o777;
      }
      assert.deepEqual(modes, {
        "new.db": 0o600,
        "new.db-shm": 0o600,
        "new.db-wal": 0o600,
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("openDatabase() rejects a file that is not a database or cannot be opened", async () => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-db-" });
  try {
    await Deno.writeTextFile(`${folder}/a.db`, "no database".repeat(100));
    await assert.rejects(
      openDatabase(`file:${folder}/a.db`),
      /SQLITE_NOTADB/,
    );
    await assert.rejects(
      openDatabase(`file:${folder}/none/a.db`),
      (error) =>
        error instanceof GridError && error.code === "database_unavailable",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a batch that reads before it writes waits for another process's write and reads it", async () => {
  await using files = await family();
  const { client } = files.db;
  await using lock = await lockDatabase(
    files.path,
    "INSERT INTO parent VALUES (2)",
  );
  const before = files.db.trips();
  const answer = client.batch([
    "SELECT count(*) FROM parent",
    "INSERT INTO parent VALUES (3)",
    "SELECT count(*) FROM parent",
  ]);
  // A read does not wait behind it, and sees only what is committed.
  assert.equal(await readValue(client, "SELECT count(*) FROM parent"), 1);
  await lock.release();
  const results = await answer;
  assert.deepEqual(results.map(({ rows }) => rows[0]?.[0]), [2, undefined, 3]);
  assert.equal(files.db.trips() - before, 2);
});

Deno.test("a batch that only reads takes no lock and reads one snapshot", async () => {
  await using files = await family();
  await using _lock = await lockDatabase(files.path);
  const results = await files.db.client.batch([
    "SELECT count(*) FROM parent",
    "SELECT count(*) FROM child",
  ]);
  assert.deepEqual(results.map(({ rows }) => rows[0]?.[0]), [1, 0]);
});

Deno.test("uncommitted writes of a killed process are rolled back, and later writes succeed", async () => {
  await using files = await family();
  const { client } = files.db;
  const lock = await lockDatabase(
    files.path,
    "INSERT INTO parent VALUES (2)",
  );
  const answer = client.execute("INSERT INTO parent VALUES (3)");
  await lock[Symbol.asyncDispose]();
  await answer;
  assert.deepEqual(
    (await client.execute("SELECT id FROM parent")).rows.map(({ id }) => id),
    [1, 3],
  );
});

/** Another process that writes `count` rows, keeping the lock for 2 ms each time, and 1 ms free between. */
function rival(path: string, count: number): Deno.ChildProcess {
  const code = `
    import { DatabaseSync } from "node:sqlite";
    const db = new DatabaseSync(${JSON.stringify(path)}, { timeout: 5000 });
    const spin = (ms, until = performance.now() + ms) => {
      while (performance.now() < until);
    };
    for (let n = 0; n < ${count}; n++, spin(1)) {
      db.exec("BEGIN IMMEDIATE; INSERT INTO child VALUES (NULL, 1)");
      spin(2);
      db.exec("COMMIT");
    }
    db.close();`;
  return new Deno.Command(Deno.execPath(), { args: ["eval", code] }).spawn();
}

Deno.test("batches run beside a process that writes all the time, lose nothing and read its rows", async () => {
  await using files = await family();
  const { client } = files.db;
  const other = rival(files.path, 200);
  const children = async () =>
    Number(await readValue(client, "SELECT count(*) FROM child"));
  while (await children() === 0) await systemClock.sleep(5);
  const seen: number[] = [];
  await Promise.all(Array.from({ length: 10 }, async () => {
    for (let n = 0; n < 10; n++) {
      const [rows] = await client.batch([
        "SELECT count(*) FROM child",
        "INSERT INTO parent SELECT max(id) + 1 FROM parent",
      ]);
      seen.push(Number(rows?.rows[0]?.[0]));
      await systemClock.sleep(1);
    }
  }));
  assert.ok((await other.status).success);
  assert.equal(await readValue(client, "SELECT max(id) FROM parent"), 101);
  assert.equal(await children(), 200);
  assert.deepEqual(seen, seen.toSorted((a, b) => a - b));
  assert.ok(new Set(seen).size > 1, "they did not write at the same time");
});

Deno.test("a violated constraint rolls back the whole batch and is recognized by isConstraintError()", async () => {
  await using files = await family();
  const { client } = files.db;
  const failure: unknown = await client.batch([
    "INSERT INTO parent VALUES (2)",
    "INSERT INTO child VALUES (1, 99)",
  ]).catch((error) => error);
  assert.ok(isConstraintError(failure));
  assert.equal(await readValue(client, "SELECT count(*) FROM parent"), 1);
});

Deno.test("waiting calls fail when the database is closed", async () => {
  await using files = await family();
  await using _lock = await lockDatabase(files.path);
  const waiting = Promise.allSettled([
    files.db.client.execute("INSERT INTO parent VALUES (3)"),
    files.db.client.execute("INSERT INTO parent VALUES (4)"),
  ]);
  await readValue(files.db.client, "SELECT 1");
  files.db.client.close();
  for (const each of await waiting) {
    assert.equal(each.status, "rejected");
    assert.ok(each.reason instanceof GridError);
  }
});
