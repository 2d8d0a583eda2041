import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "@hono/zod-openapi";
import { checkDatabase } from "../../../src/cli/check/database.ts";
import { checkMachine, checkSettings } from "../../../src/cli/check/host.ts";
import { checkProvider, isUsable } from "../../../src/cli/check/provider.ts";
import { checkServer } from "../../../src/cli/check/server.ts";
import type { CheckResult, Provider } from "../../../src/core/provider.ts";
import {
  type LoadedSettings,
  loadSettings,
  type Settings,
  type SettingsInput,
} from "../../../src/core/settings.ts";
import { APPS } from "../../../src/installed.ts";
import { local } from "../../../src/providers/local/provider.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

function load(dir: string, flags: SettingsInput = {}): LoadedSettings {
  return loadSettings({ defaults: { data_dir: dir }, env: {}, flags });
}

function find(results: readonly CheckResult[], name: string): CheckResult {
  const found = results.find((result) => result.name === name);
  assert.ok(found, `${name} in ${JSON.stringify(results)}`);
  return found;
}

async function withFolder(act: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    await act(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A provider whose host has these results, and which records that it is closed. */
function providerWith(
  check: () => Promise<readonly CheckResult[]>,
  closed: string[] = [],
): Provider {
  return {
    ...local,
    name: "test",
    open: () =>
      Promise.resolve({
        check,
        start: () => Promise.reject(new Error("Not needed")),
        adopt: () => Promise.resolve([]),
        sweep: () => Promise.resolve([]),
        [Symbol.asyncDispose]: () => {
          closed.push("closed");
          return Promise.resolve();
        },
      }),
  };
}

Deno.test("checkSettings() counts the settings that differ from their defaults, and passes warnings on", () => {
  const [all] = checkSettings({ ...load("/tmp"), origins: {} });
  assert.deepEqual([all?.status, all?.detail], [
    "ok",
    "All are at their defaults",
  ]);
  const loaded = loadSettings({
    defaults: { data_dir: "/tmp" },
    env: { BROWSERGRID_PORT: "1", BROWSERGRID_COLOUR: "red" },
    flags: { host: "127.0.0.1" },
  });
  const [changed, warning] = checkSettings(loaded);
  assert.match(changed?.detail ?? "", /^2 given, the others at their defaults/);
  assert.deepEqual(warning?.status, "warn");
  assert.match(warning?.detail ?? "", /BROWSERGRID_COLOUR/);
});

Deno.test("checkHost() distinguishes a free port, a taken port and port 0", () =>
  withFolder(async (dir) => {
    const port = async (port: number) =>
      find(await checkMachine(load(dir, { port }).settings), "port");
    assert.match((await port(0)).detail, /takes a free one/);
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const taken = listener.addr.port;
    const silent = (async () => {
      for await (const connection of listener) connection.close();
    })();
    const busy = await port(taken);
    assert.deepEqual(busy.status, "warn");
    assert.match(busy.detail, /used by another program/);
    listener.close();
    await silent.catch(() => {});
    assert.match((await port(taken)).detail, /is free$/);
  }));

Deno.test("checkHost() requires a key only if other machines can reach the address, and accepts one of the database", () =>
  withFolder(async (dir) => {
    const key = async (flags: SettingsInput) =>
      find(
        await checkMachine(load(dir, { port: 0, ...flags }).settings),
        "key",
      );
    assert.match((await key({})).detail, /everyone on this machine/);
    assert.equal((await key({ host: "0.0.0.0" })).status, "fail");
    const set = await key({ host: "0.0.0.0", api_key: "key-0123456789" });
    assert.deepEqual([set.status, set.detail], [
      "ok",
      "BROWSERGRID_API_KEY is set",
    ]);
    await cli(
      ...["key", "create", "a", "--role", "admin", "--direct"],
      ...["--data-dir", dir],
    );
    const stored = await key({ host: "0.0.0.0" });
    assert.match(stored.detail, /The database has the key of an admin/);
  }));

Deno.test("checkHost() fails for a data folder that cannot be created, and writes nothing into one that can", () =>
  withFolder(async (dir) => {
    const folder = join(dir, "data");
    const good = await checkMachine(load(folder, { port: 0 }).settings);
    assert.equal(find(good, "data folder").status, "ok");
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
    await Deno.writeTextFile(join(dir, "file"), "");
    const below = join(dir, "file", "below");
    const bad = await checkMachine(load(below, { port: 0 }).settings);
    assert.equal(find(bad, "data folder").status, "fail");
    // The disk of the nearest folder that exists is checked.
    assert.match(find(bad, "disk").detail, /GB free/);
  }));

Deno.test("checkDatabase() fails for a missing database only if migrations are off", () =>
  withFolder(async (dir) => {
    const status = async (settings: Settings) =>
      find(await checkDatabase(settings, APPS), "database");
    const later = await status(load(dir).settings);
    assert.deepEqual(later.status, "ok");
    const never = await status(load(dir, { migrate: false }).settings);
    assert.equal(never.status, "fail");
    assert.match(never.detail, /run "browsergrid createdb"/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(dir)), []);
  }));

Deno.test("checkDatabase() fails for pending migrations only if migrations are off", () =>
  withFolder(async (dir) => {
    await cli("createdb", "--data-dir", dir);
    const sql = "DELETE FROM schema_migrations WHERE name LIKE '0002%'";
    await cli("dbshell", "-c", sql, "--data-dir", dir);
    const status = async (settings: Settings) =>
      find(await checkDatabase(settings, APPS), "migrations");
    assert.equal((await status(load(dir).settings)).status, "warn");
    const never = await status(load(dir, { migrate: false }).settings);
    assert.equal(never.status, "fail");
    assert.match(never.detail, /^0002\w* not applied, and BROWSERGRID_MIGRATE/);
  }));

Deno.test("checkServer() warns only about a server that a setting names and that does not respond", async () => {
  const away = { api_url: "http://127.0.0.1:1" };
  const { settings } = load("/tmp", away);
  const unnamed = await checkServer(settings, { isNamed: false });
  assert.deepEqual(unnamed.status, "ok");
  assert.match(unnamed.detail, /"browsergrid serve" starts one/);
  const named = await checkServer(settings, { isNamed: true });
  assert.equal(named.status, "warn");
  await using grid = await testGrid({ listen: true });
  const running = load("/tmp", { api_url: grid.url }).settings;
  const good = await checkServer(running, { isNamed: true });
  assert.deepEqual([good.status, good.detail], ["ok", `${grid.url} answers`]);
});

Deno.test("checkProvider() returns the results of an opened host, and closes it", async () => {
  const { settings } = load("/tmp");
  const closed: string[] = [];
  const result: CheckResult = { name: "engine", status: "ok", detail: "Fine" };
  const results = await checkProvider(
    providerWith(() => Promise.resolve([result]), closed),
    settings,
  );
  assert.deepEqual([results, closed], [[result], ["closed"]]);
  assert.ok(isUsable(results));
  const failing = await checkProvider(
    providerWith(() => Promise.reject(new Error("No engine")), closed),
    settings,
  );
  assert.deepEqual(failing, [
    { name: "open", status: "fail", detail: "No engine" },
  ]);
  assert.deepEqual(closed, ["closed", "closed"]);
  assert.ok(!isUsable(failing));
});

Deno.test("checkProvider() does not open a provider whose pools must be configured, and it is not usable", async () => {
  const provider: Provider = {
    ...local,
    configSchema: z.strictObject({ region: z.string(), zone: z.string() }),
    open: () => Promise.reject(new Error("Opened")),
  };
  const results = await checkProvider(provider, load("/tmp").settings);
  assert.deepEqual(results, [{
    name: "config",
    status: "warn",
    detail: "Not checked: a pool must configure region, zone",
  }]);
  assert.ok(!isUsable(results));
});

Deno.test("checkProvider() opens a provider with the configuration of the command line, or reports what is wrong with it", async () => {
  const opened: unknown[] = [];
  const provider: Provider = {
    ...local,
    configSchema: z.strictObject({ region: z.string() }),
    open: (config, host) => {
      opened.push(config);
      return local.open({ arguments: [], sandbox: "auto" }, host);
    },
  };
  const { settings } = load("/tmp");
  const [first] = await checkProvider(provider, settings, { region: "eu" });
  assert.notEqual(first?.name, "config");
  assert.deepEqual(opened, [{ region: "eu" }]);
  const [wrong] = await checkProvider(provider, settings, { regoin: "eu" });
  assert.deepEqual([wrong?.name, wrong?.status], ["config", "fail"]);
  assert.match(wrong?.detail ?? "", /region: .*regoin/s);
});
