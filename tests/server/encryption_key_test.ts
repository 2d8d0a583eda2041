import assert from "node:assert/strict";
import { join } from "node:path";
import { loadSettings, type SettingsInput } from "../../src/core/settings.ts";
import { openDatabase } from "../../src/db/client.ts";
import {
  canOpen,
  KEY_FILE,
  openSecrets,
} from "../../src/server/encryption_key.ts";

const PLACE = ["sessions", "environment", "one"] as const;

/** A data folder with an empty database. Disposal removes both. */
async function openFolder() {
  await using stack = new AsyncDisposableStack();
  const path = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  stack.defer(() => Deno.remove(path, { recursive: true }));
  const db = stack.use(await openDatabase(`file:${path}/browsergrid.db`));
  const owned = stack.move();
  const settings = (flags: SettingsInput = {}) =>
    loadSettings({ defaults: { data_dir: path }, env: {}, flags }).settings;
  return {
    path,
    keyFile: join(path, KEY_FILE),
    db,
    settings,
    open: (flags?: SettingsInput) => openSecrets(db, settings(flags)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

Deno.test("the first start creates a key file for the owner only, later starts read it", async () => {
  await using folder = await openFolder();
  const first = await folder.open();
  const { mode } = await Deno.stat(folder.keyFile);
  if (Deno.build.os !== "windows") assert.equal((mode ?? 0) & 0o777, 0o600);
  const text = (await Deno.readTextFile(folder.keyFile)).trim();
  assert.match(text, /^[0-9a-f]{64}$/);
  const sealed = await first.seal("secret", PLACE);
  const second = await folder.open();
  assert.equal(await second.open(sealed, PLACE), "secret");
});

Deno.test("concurrent first starts use one key", async () => {
  await using folder = await openFolder();
  const all = await Promise.all(Array.from({ length: 8 }, () => folder.open()));
  const sealed = await Promise.all(
    all.map((secrets) => secrets.seal("secret", PLACE)),
  );
  for (const secrets of all) {
    for (const text of sealed) {
      assert.equal(await secrets.open(text, PLACE), "secret");
    }
  }
  const files = await Array.fromAsync(Deno.readDir(folder.path));
  const keys = files.filter(({ name }) => name.startsWith(KEY_FILE));
  assert.equal(keys.length, 1);
});

Deno.test("the remains of a start that was killed while it created the key are removed", async () => {
  await using folder = await openFolder();
  await folder.open();
  const unfinished = `${folder.keyFile}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(unfinished, "half");
  await folder.open();
  await assert.rejects(Deno.stat(unfinished), Deno.errors.NotFound);
});

Deno.test("a start keeps the keys that an operator has kept, and canOpen() removes no file", async () => {
  await using folder = await openFolder();
  await folder.open();
  const kept = [`${folder.keyFile}.old`, `${folder.keyFile}.2026-11-30`];
  for (const path of kept) await Deno.writeTextFile(path, "ab".repeat(32));
  await folder.open();
  const unfinished = `${folder.keyFile}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(unfinished, "half");
  const row = { name: "one", value: "v1.none" };
  assert.ok(!await canOpen(row, folder.settings()));
  for (const path of [...kept, unfinished]) {
    assert.ok((await Deno.stat(path)).isFile, path);
  }
});

Deno.test("a key in the settings takes the place of the file", async () => {
  await using folder = await openFolder();
  const secrets = await folder.open({ encryption_key: "ab".repeat(32) });
  await secrets.seal("secret", PLACE);
  await assert.rejects(Deno.stat(folder.keyFile), Deno.errors.NotFound);
});

Deno.test("previous keys decrypt, and only the current key encrypts", async () => {
  await using folder = await openFolder();
  const [old, current] = ["ab".repeat(32), "cd".repeat(32)];
  const before = await folder.open({ encryption_key: old });
  const sealed = await before.seal("secret", PLACE);
  const after = await folder.open({
    encryption_key: current,
    previous_encryption_keys: [old],
  });
  assert.equal(await after.open(sealed, PLACE), "secret");
  const fresh = await after.seal("secret", PLACE);
  await assert.rejects(before.open(fresh, PLACE), {
    code: "encryption_key_mismatch",
  });
});

Deno.test("a key file that is not a key is rejected, and kept", async () => {
  await using folder = await openFolder();
  await Deno.writeTextFile(folder.keyFile, "not a key\n");
  await assert.rejects(folder.open(), {
    name: "SettingsError",
    message: /encryption\.key": expected 32 bytes in hex/,
  });
  assert.equal(await Deno.readTextFile(folder.keyFile), "not a key\n");
});

Deno.test("a lost key file is not replaced while the database has encrypted secrets", async () => {
  await using folder = await openFolder();
  const secrets = await folder.open();
  await folder.db.client.execute(
    "CREATE TABLE grid_secrets (name TEXT, value TEXT)",
  );
  await folder.db.client.execute({
    sql: "INSERT INTO grid_secrets VALUES ('connect_tokens', ?)",
    args: [await secrets.seal("secret", PLACE)],
  });
  await Deno.remove(folder.keyFile);
  await assert.rejects(folder.open(), {
    name: "SettingsError",
    message: /their key is missing, expected the file ".*encryption\.key"/,
  });
  await assert.rejects(Deno.stat(folder.keyFile), Deno.errors.NotFound);
});

Deno.test("a database in memory needs no key file", async () => {
  await using folder = await openFolder();
  await folder.open({ database_url: ":memory:" });
  await assert.rejects(Deno.stat(folder.keyFile), Deno.errors.NotFound);
});
