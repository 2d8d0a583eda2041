import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createClient, type GridClient } from "../../../src/client/client.ts";
import { lockDatabase } from "../../../src/db/backup/database_lock.ts";
import { cli } from "../../support/cli.ts";
import { eventually } from "../../support/eventually.ts";
import { runProgram, startProgram } from "../../support/program.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const KEY = "key-0123456789-of-the-environment";

/** Starts a server with data in the folder, and a client of it. */
async function startServer(dataDir: string, apiKey = KEY) {
  const server = startProgram(
    ["serve", "--port", "0", "--data-dir", dataDir],
    { BROWSERGRID_API_KEY: KEY },
  );
  const [, apiUrl = ""] = await server.until(/API +(http:\S+)\/v1/);
  return { server, apiUrl, client: createClient({ apiUrl, apiKey }) };
}

/** Creates sessions one after the other until disposed. */
function createSessions(client: GridClient) {
  const ids: string[] = [];
  let isStopped = false;
  const run = async () => {
    while (!isStopped) ids.push((await client.createSession({})).id);
  };
  const done = run();
  return {
    ids,
    /** Resolves with the number of sessions when there are `count` more. */
    async untilMore(count: number) {
      const target = ids.length + count;
      return await eventually(
        `${target} sessions are created`,
        () => Promise.resolve(ids.length >= target && ids.length),
      );
    },
    async [Symbol.asyncDispose]() {
      isStopped = true;
      await done;
    },
  };
}

Deno.test("a backup during writes is consistent and rejects no write; restored elsewhere, it serves the sessions, keys and pools", async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "grid");
  const backup = join(folder.path, "b.db");
  let key: string;
  let before: readonly string[];
  {
    const { server, client } = await startServer(dataDir);
    await using _ = server;
    await client.createPool({
      name: "crawlers",
      provider_type: "local",
      default_environment: { TOKEN: "secret-of-the-pool" },
    });
    ({ key } = await client.createKey({ name: "operator", role: "admin" }));
    await using sessions = createSessions(client);
    const written = await sessions.untilMore(20);
    before = sessions.ids.slice(0, written);
    const { code, stderr } = await runProgram(
      ["backup", backup, "--data-dir", dataDir],
    );
    assert.equal(code, 0, stderr);
    await sessions.untilMore(20);
    const used = await runProgram(
      ["restore", backup, "--yes", "--data-dir", dataDir],
    );
    assert.equal(used.code, 1);
    assert.match(used.stderr, /a server or another program uses it/);
    await sessions.untilMore(1);
  }
  assertConsistent(backup, before);
  const restored = join(folder.path, "restored");
  await Deno.mkdir(restored);
  await Deno.copyFile(
    join(dataDir, "encryption.key"),
    join(restored, "encryption.key"),
  );
  const { code, stderr } = await runProgram(
    ["restore", backup, "--data-dir", restored],
  );
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  const { server, client } = await startServer(restored, key);
  await using _ = server;
  for (const id of before) {
    assert.equal((await client.getSession(id)).status, "pending");
  }
  const keys = await client.listKeys();
  assert.deepEqual(keys.items.map(({ name }) => name), ["operator"]);
  const pool = await client.getPool("crawlers");
  const { worker, instance_id, secret = "" } = await client.registerWorker({
    work_pool_id: pool.id,
  });
  const claimed = await client.claimSession(worker.id, {}, {
    proof: { secret, instanceId: instance_id },
  });
  assert.deepEqual(claimed?.sessions[0]?.environment, {
    TOKEN: "secret-of-the-pool",
  });
});

/** Each session of a backup has the event of the same transaction, and those that were there before are in it. */
function assertConsistent(backup: string, before: readonly string[]): void {
  using db = new DatabaseSync(backup, { readOnly: true });
  const read = (sql: string) =>
    db.prepare(sql).all().map(({ id }) => String(id)).sort();
  const sessions = read("SELECT id FROM sessions");
  const events = read(
    "SELECT session_id AS id FROM events WHERE type = 'session.created'",
  );
  assert.deepEqual(sessions, events);
  assert.ok(new Set(before).isSubsetOf(new Set(sessions)));
}

Deno.test("after kill -9 of a server, a backup has its last writes, and restore accepts its database", async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "grid");
  const backup = join(folder.path, "b.db");
  const { server, client } = await startServer(dataDir);
  await using _ = server;
  await client.createPool({ name: "crawlers", provider_type: "local" });
  const { id } = await client.createSession({});
  server.kill("SIGKILL");
  await server.status;
  const at = ["--data-dir", dataDir];
  assert.equal((await runProgram(["backup", backup, ...at])).code, 0);
  assertConsistent(backup, [id]);
  const line = ["restore", backup, "--yes", ...at];
  const { code, stderr } = await runProgram(line);
  assert.equal(code, 0, stderr);
});

Deno.test("a damaged database is replaced only after its server has ended, and no server starts while it is replaced", async () => {
  await using folder = await temporaryFolder();
  const database = join(folder.path, "browsergrid.db");
  const backup = join(folder.path, "b.db");
  const { server } = await startServer(folder.path);
  await using _ = server;
  const at = ["--data-dir", folder.path];
  assert.equal((await cli("backup", backup, ...at)).code, 0);
  {
    using file = await Deno.open(database, { write: true });
    await file.write(new TextEncoder().encode("text".repeat(1_000)));
  }
  const used = await cli("restore", backup, "--yes", ...at);
  assert.equal(used.code, 1, used.err);
  assert.match(used.err, /a server or another program uses it/);
  server.kill("SIGKILL");
  await server.status;
  const { code, err } = await cli("restore", backup, "--yes", ...at);
  assert.equal(code, 0, err);
  using _lock = lockDatabase(database, { isExclusive: true });
  for (const line of [["serve", "--port", "0"], ["migrate"]]) {
    const rejected = await runProgram([...line, ...at]);
    assert.equal(rejected.code, 1, rejected.stderr);
    assert.match(rejected.stderr, /"browsergrid restore" is replacing it/);
  }
});

/** Makes a database with a grid's tables so large that a copy takes a while. */
async function createLarge(dataDir: string): Promise<string> {
  const { code } = await runProgram(["createdb", "--data-dir", dataDir]);
  assert.equal(code, 0);
  const path = join(dataDir, "browsergrid.db");
  using db = new DatabaseSync(path);
  db.exec(`PRAGMA synchronous = OFF;
    INSERT INTO grid (only, id) VALUES (1, 'before');
    CREATE TABLE ballast AS WITH RECURSIVE n(i) AS
      (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
      SELECT randomblob(4000) AS bytes FROM n`);
  return path;
}

/** Starts the command and kills it while its file is half written. */
async function killHalfWay(
  line: readonly string[],
  target: string,
): Promise<void> {
  const folder = dirname(target);
  using watcher = Deno.watchFs(folder);
  await using program = startProgram(line);
  for await (const { paths } of watcher) {
    if (paths.some((path) => path.endsWith(".part"))) break;
  }
  program.kill("SIGKILL");
  const { code } = await program.status;
  assert.equal(code, 137);
  const names = (await Array.fromAsync(Deno.readDir(folder))).map((
    { name },
  ) => name);
  assert.ok(names.some((name) => name.endsWith(".part")), names.join(" "));
}

function readState(path: string): unknown {
  using db = new DatabaseSync(path);
  assert.deepEqual({ ...db.prepare("PRAGMA quick_check").get() }, {
    quick_check: "ok",
  });
  return db.prepare("SELECT id FROM grid").get()?.["id"];
}

Deno.test("kill -9 of a backup leaves no file with its name and an earlier one unchanged, kill -9 of a restore leaves the database", async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "grid");
  const at = ["--data-dir", dataDir];
  const database = await createLarge(dataDir);
  const backup = join(folder.path, "b.db");
  await killHalfWay(["backup", backup, ...at], backup);
  await assert.rejects(Deno.stat(backup), Deno.errors.NotFound);
  assert.equal((await runProgram(["backup", backup, ...at])).code, 0);
  {
    using db = new DatabaseSync(database);
    db.exec("UPDATE grid SET id = 'after'");
  }
  await killHalfWay(["backup", backup, "--force", ...at], backup);
  assert.equal(readState(backup), "before");
  const line = ["restore", backup, "--yes", ...at];
  await killHalfWay(line, database);
  assert.equal(readState(database), "after");
  assert.equal((await runProgram(line)).code, 0);
  assert.equal(readState(database), "before");
});
