import assert from "node:assert/strict";
import { readAllMigrations } from "../../src/server/grid.ts";
import { openDatabase } from "../../src/db/client.ts";
import { migrate, migrationStatus } from "../../src/db/migrate.ts";
import { APPS } from "../../src/installed.ts";
import { type HranaServer, startHranaServer } from "../support/hrana_server.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { TOKEN } from "./scene.ts";

/** Variables of a program whose database is there. Its token stands in the URL, in front of what must be kept. */
function createEnvironment(database: HranaServer, dataDir: string) {
  return {
    BROWSERGRID_DATABASE_URL: `${database.url}?authToken=${TOKEN}&tls=0`,
    BROWSERGRID_DATA_DIR: dataDir,
    BROWSERGRID_ENCRYPTION_KEY: "5e".repeat(32),
  };
}

Deno.test("of two processes that migrate a remote database at once one applies each migration, and both find it up to date", async () => {
  await using database = await startHranaServer();
  database.delay(10);
  using here = await openDatabase(database.url);
  using there = await openDatabase(database.url);
  const migrations = await readAllMigrations(APPS);
  const names = migrations.map(({ name }) => name).sort();
  const applied = await Promise.all(
    [here, there].map((db) => migrate(db, migrations, { now: 1 })),
  );
  assert.deepEqual(applied.flat().sort(), names);
  for (const db of [here, there]) {
    const status = await migrationStatus(db, migrations);
    assert.ok(status.every(({ appliedAt }) => appliedAt === 1));
  }
  assert.equal(database.batons, 0);
});

Deno.test("browsergrid migrate works on a remote database, and never shows its token", async () => {
  await using database = await startHranaServer({ authToken: TOKEN });
  const dataDir = await Deno.makeTempDir();
  const env = createEnvironment(database, dataDir);
  const runs = [];
  for (const args of [["migrate"], ["migrate"], ["migrate", "status"]]) {
    runs.push(await runProgram(args, env));
  }
  const wrong = { ...env, BROWSERGRID_DATABASE_URL: database.url };
  runs.push(await runProgram(["migrate"], wrong));
  await Deno.remove(dataDir, { recursive: true });
  const [first, again, status, refused] = runs;
  assert.match(first?.stdout ?? "", /^Applied to http:/);
  assert.match(again?.stdout ?? "", /is up to date/);
  assert.doesNotMatch(status?.stdout ?? "", /\bno\b/);
  assert.deepEqual(runs.map(({ code }) => code), [0, 0, 0, 1]);
  assert.match(
    refused?.stderr ?? "",
    /^error: .*HTTP status 401, expected a valid token/,
  );
  for (const { stdout, stderr } of runs) {
    assert.ok(!(stdout + stderr).includes(TOKEN), stdout + stderr);
  }
});

Deno.test("browsergrid serve on a remote database prints its address without the token, and logs no token during an outage", async () => {
  await using database = await startHranaServer({ authToken: TOKEN });
  const dataDir = await Deno.makeTempDir();
  {
    await using program = startProgram(["serve", "--port", "0"], {
      ...createEnvironment(database, dataDir),
      BROWSERGRID_LOG_LEVEL: "debug",
    });
    const [, url] = await program.until(/API +(http:\S+)\/v1/);
    await program.until(/Data +http:\/\/127\.0\.0\.1:\d+/);
    await database.stop();
    const answer = await fetch(`${url}/v1/sessions`);
    assert.equal(answer.status, 503);
    assert.ok(!(await answer.text()).includes("127.0.0.1"));
    await program.until(/Cannot read the database/);
    assert.ok(!program.output().includes(TOKEN), program.output());
  }
  await Deno.remove(dataDir, { recursive: true });
});
