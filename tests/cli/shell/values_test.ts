import assert from "node:assert/strict";
import { inspect } from "node:util";
import { loadSettings } from "../../../src/core/settings.ts";
import { ShellValues } from "../../../src/cli/shell/values.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

async function withValues(
  flags: Readonly<Record<string, unknown>>,
  act: (names: ShellValues["names"], dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    const { settings } = loadSettings({
      defaults: { data_dir: dir },
      env: {},
      flags,
    });
    using values = new ShellValues(settings);
    await act(values.names, dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("db opens the database at its first call, and tries again after a failure", () =>
  withValues({}, async ({ db }, dir) => {
    await assert.rejects(db.query("SELECT 1"), /it does not exist/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(dir)), []);
    await cli("createdb", "--data-dir", dir);
    assert.deepEqual(await db.query("SELECT ? AS a, 2 AS b", [1]), [
      { a: 1, b: 2 },
    ]);
    assert.equal(await db.execute("CREATE TABLE t (a)"), 0);
    assert.equal(await db.execute("INSERT INTO t VALUES (1), (2)"), 2);
    await assert.rejects(db.query("SELEC"), /syntax/);
  }));

Deno.test("api is a client of the configured server, and sends the configured key", async () => {
  await using grid = await testGrid({
    listen: true,
    settings: { api_key: "key-0123456789" },
  });
  const flags = { api_url: grid.url, api_key: "key-0123456789" };
  await withValues(flags, async ({ api }) => {
    assert.deepEqual((await api.listPools()).items, []);
  });
  await withValues({ api_url: grid.url }, async ({ api }) => {
    await assert.rejects(api.listPools(), /key/);
  });
});

Deno.test("settings can be read by code, but are printed without their secrets", () =>
  withValues({ api_key: "secret-0123456789", port: 4321 }, ({ settings }) => {
    assert.equal(settings.api_key, "secret-0123456789");
    for (
      const text of [
        inspect(settings),
        Deno.inspect(settings),
        JSON.stringify(settings),
      ]
    ) {
      assert.match(text, /4321/);
      assert.match(text, /api_key.*not shown/);
      assert.doesNotMatch(text, /secret-/);
    }
    return Promise.resolve();
  }));
