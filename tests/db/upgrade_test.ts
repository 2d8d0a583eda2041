import assert from "node:assert/strict";
import { join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import type { Database } from "../../src/core/database.ts";
import { openDatabase } from "../../src/db/client.ts";
import { toFileUrl } from "../../src/db/file_url.ts";
import { migrate, readProjectMigrations } from "../../src/db/migrate.ts";
import type { Migration } from "../../src/db/migrations/status.ts";
import { createApiClient } from "../support/api.ts";
import { cli } from "../support/cli.ts";
import { testGrid } from "../support/grid.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { findMissing, readReleased, RELEASES } from "../support/releases.ts";
import { ADMIN_KEY, IDS, insertRows, PLAIN_SECRET } from "./stored_rows.ts";

const migrations = await readProjectMigrations();

/** The table of applied migrations, as version 0.2 creates it. */
const RECORDS_OF_0_2 =
  "CREATE TABLE schema_migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL)";

/** A folder with the database of a schema, with rows in each of its tables. Disposal removes it. */
async function storedFolder(
  schema: readonly Migration[],
): Promise<AsyncDisposable & { readonly path: string; readonly file: string }> {
  const path = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  const file = join(path, "browsergrid.db");
  using db = await openDatabase(toFileUrl(file));
  await db.client.execute(RECORDS_OF_0_2);
  await migrate(db, schema, { now: 1 });
  // Only versions from 0.3 on have this column, which migrate() has added.
  await db.client.execute("ALTER TABLE schema_migrations DROP COLUMN version");
  await insertRows(db);
  return {
    path,
    file,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Reports whether the schema has a table with this name. */
async function hasTable({ client }: Database, name: string): Promise<boolean> {
  const { rows } = await client.execute({
    sql: "SELECT 1 FROM sqlite_schema WHERE name = ?",
    args: [name],
  });
  return rows.length > 0;
}

for (const [at, { name }] of migrations.entries()) {
  Deno.test(`a database that ends with migration ${name} is upgraded and served with all of its data`, async () => {
    await using folder = await storedFolder(migrations.slice(0, at + 1));
    const had = { keys: false, webhooks: false };
    {
      using db = await openDatabase(toFileUrl(folder.file));
      had.keys = await hasTable(db, "api_keys");
      had.webhooks = await hasTable(db, "webhooks");
    }
    await using grid = await testGrid({ dataDir: folder.path });
    const api = createApiClient(
      grid,
      had.keys ? { "x-api-key": ADMIN_KEY } : {},
    );
    const read = async (path: string) => {
      const { status, body, text } = await api.call("GET", path);
      assert.equal(status, 200, `${path}: ${text}`);
      return body;
    };
    const pool = await read("/workerpool/pools/crawlers");
    assert.deepEqual([pool.id, pool.priority, pool.max_sessions], [
      IDS.pool,
      2,
      7,
    ]);
    const worker = await read(`/workerpool/workers/${IDS.worker}`);
    assert.deepEqual([worker.name, worker.status], ["host-1", "offline"]);
    const found = await read("/sessions?label=team=search");
    assert.deepEqual(
      found.items.map(({ id, status }: Record<string, string>) => [id, status]),
      [[IDS.waiting, "pending"], [IDS.ended, "completed"]],
    );
    const ended = await read(`/sessions/${IDS.ended}`);
    assert.deepEqual([ended.priority, ended.screen.width, ended.labels], [
      3,
      1280,
      { team: "search" },
    ]);
    const { items: events } = await read(`/sessions/${IDS.ended}/events`);
    assert.equal(events.length, 3);
    const metrics = await read(`/sessions/${IDS.ended}/metrics`);
    assert.equal(metrics.items[0].memory_mb, 300);
    assert.equal(await read(`/sessions/${IDS.ended}/logs`), "last output");
    if (had.keys) {
      const { items } = await read("/keys");
      assert.deepEqual(items.map((key: { id: string }) => key.id), [IDS.key]);
    }
    if (had.webhooks) {
      const { items } = await read(`/webhooks/${IDS.webhook}/deliveries`);
      assert.ok(items.length > 0);
    }
    // A worker of the upgraded grid claims the session that waited, with its secret.
    const id = await api.worker({ work_pool_id: IDS.pool });
    const claimed = await api.claim(id);
    assert.deepEqual([claimed?.id, claimed?.environment], [IDS.waiting, {
      TOKEN: PLAIN_SECRET,
    }]);
    const stored = await grid.core.db.client.execute(
      "SELECT environment FROM sessions UNION ALL SELECT default_environment FROM work_pools UNION ALL SELECT value FROM grid_secrets",
    );
    assert.doesNotMatch(JSON.stringify(stored.rows), /plain-/);
  });
}

Deno.test("the releases are those of the changelog before this version", async () => {
  const changelog = new URL("../../CHANGELOG.md", import.meta.url);
  const dated = (await Deno.readTextFile(changelog)).matchAll(
    /^## (\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d$/gm,
  );
  assert.deepEqual(
    RELEASES.map(({ version }) => version),
    [...dated].map(([, version]) => version)
      // Its commit is not known before it is made.
      .filter((version) => version !== config.version).reverse(),
  );
});

for (const release of RELEASES) {
  const { version, lastMigration } = release;
  const missing = await findMissing(release);
  const name =
    `the migrations of version ${version} are those that it was released with`;
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  if (missing !== undefined) console.log(`skipped: ${name}: ${missing}`);
  Deno.test({
    name,
    ignore: missing !== undefined,
    async fn() {
      const journal = JSON.parse(
        await readReleased(release, "migrations/meta/_journal.json"),
      );
      const tags: readonly string[] = journal.entries.map((
        { tag }: { readonly tag: string },
      ) => tag);
      assert.equal(tags.at(-1), lastMigration);
      const folder = new URL("../../migrations/", import.meta.url);
      for (const tag of tags) {
        assert.equal(
          await Deno.readTextFile(new URL(`${tag}.sql`, folder)),
          await readReleased(release, `migrations/${tag}.sql`),
        );
      }
    },
  });

  Deno.test(`browsergrid migrate and serve upgrade a database of version ${version}`, async () => {
    const last = migrations.findIndex(({ name }) => name === lastMigration);
    await using folder = await storedFolder(migrations.slice(0, last + 1));
    const at = ["--data-dir", folder.path];
    const { code, stdout, stderr } = await runProgram(["migrate", ...at]);
    assert.equal(code, 0, stderr);
    const applied = migrations.slice(last + 1).map(({ name }) => name);
    assert.ok(stdout.includes(applied.join(", ")), stdout);
    await using server = startProgram(["serve", "--port", "0", ...at]);
    const [, url = ""] = await server.until(/API +(http:\S+)\/v1/);
    const response = await fetch(`${url}/v1/sessions/${IDS.ended}`, {
      headers: { "x-api-key": ADMIN_KEY },
    });
    assert.equal((await response.json()).status, "completed");
  });

  Deno.test(`browsergrid restore accepts a backup of version ${version}, which the next migrate upgrades`, async () => {
    const last = migrations.findIndex(({ name }) => name === lastMigration);
    await using folder = await storedFolder(migrations.slice(0, last + 1));
    const at = ["--data-dir", join(folder.path, "restored")];
    const restored = await cli("restore", folder.file, ...at);
    assert.equal(restored.code, 0, restored.err);
    const { applied } = JSON.parse((await cli("migrate", "--json", ...at)).out);
    assert.equal(applied.length, migrations.length - last - 1);
    const sql = "SELECT count(*) AS n FROM events";
    const { out } = await cli("dbshell", "--json", "-c", sql, ...at);
    assert.deepEqual(JSON.parse(out), [{ n: 3 }]);
  });
}
