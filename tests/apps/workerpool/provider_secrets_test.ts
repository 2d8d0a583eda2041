import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "@hono/zod-openapi";
import { defineProvider, type Provider } from "../../../src/core/provider.ts";
import { secretSchema } from "../../../src/core/provider/secret_options.ts";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";

const POOLS = "/workerpool/pools";

const CONFIG = { host: "vault.example", password: "planted-password" };

/** A provider with a required and an optional secret, which runs workers on machines if `unit` says so. */
const provider: Provider = defineProvider({
  name: "vaulted",
  displayName: "Vaulted",
  description: "Browsers behind a password",
  configSchema: z.strictObject({
    host: z.string().describe("Host"),
    password: secretSchema().describe("Password"),
    token: secretSchema().optional().describe("Token"),
    pin: secretSchema().regex(/^\d{4}$/).optional().describe("PIN"),
    unit: z.enum(["session", "worker"]).default("session").describe("Unit"),
  }),
  browsers: () => [{ browser: "chrome", versions: ["latest"] }],
  deployCommand: () => "true",
  machines: ({ unit }) =>
    unit === "session" ? undefined : {
      capacity: 4,
      place: "somewhere",
      startTimeoutSeconds: 60,
      browsers: { provider: "local", config: { sandbox: "off" } },
      open: () => Promise.reject(new Error("no machines here")),
    },
  open: () => Promise.reject(new Error("no browsers here")),
});

const scene = (options: Parameters<typeof testGrid>[0] = {}) =>
  testGrid({ providers: [provider], ...options });

const createPool = (grid: TestGrid, config: Readonly<object> = CONFIG) =>
  createApiClient(grid).pool({
    provider_type: "vaulted",
    provider_config: config,
  });

/** Returns the configuration that a worker of the pool receives. */
async function register(grid: TestGrid) {
  const { body } = await createApiClient(grid).call(
    "POST",
    "/workerpool/workers",
    {
      name: crypto.randomUUID(),
      work_pool_id: "pool",
      capacity: 1,
    },
  );
  return [body.provider_type, body.provider_config];
}

async function readRow(grid: TestGrid): Promise<string> {
  const { rows } = await grid.core.db.client.execute(
    "SELECT provider_config, provider_secrets FROM work_pools",
  );
  return JSON.stringify(rows);
}

Deno.test("secrets of a provider are encrypted, are in no response, and reach the pool's workers", async () => {
  await using grid = await scene();
  const api = createApiClient(grid);
  const made = await createPool(grid);
  const { password: _, ...visible } = { ...CONFIG, unit: "session" };
  assert.deepEqual(made.provider_config, visible);
  assert.deepEqual(made.provider_secrets, ["password"]);
  const responses = await Promise.all([
    api.call("GET", POOLS),
    api.call("GET", `${POOLS}/pool`),
    api.call("PATCH", `${POOLS}/pool`, { priority: 2 }),
    api.call("GET", "/events"),
  ]);
  for (const { status, text } of responses) {
    assert.equal(status, 200, text);
    assert.doesNotMatch(text, /planted/);
  }
  assert.doesNotMatch(await readRow(grid), /planted/);
  assert.deepEqual(await register(grid), ["vaulted", {
    ...CONFIG,
    unit: "session",
  }]);
});

Deno.test("a provider is configured, whatever form its encrypted secrets have", async () => {
  await using grid = await scene();
  const api = createApiClient(grid);
  await createPool(grid, {
    ...CONFIG,
    unit: "worker",
    pin: "1234",
    // The longest one.
    token: "t".repeat(16_384),
  });
  assert.deepEqual(await register(grid), ["local", { sandbox: "off" }]);
  await api.session();
  const { body } = await api.call("GET", `${POOLS}/pool/pressure`);
  assert.equal(body.wanted_workers, 1);
  assert.ok(body.machines);
});

Deno.test("a change of the configuration keeps secrets that it does not contain, replaces those that it does, and null removes one", async () => {
  await using grid = await scene();
  const api = createApiClient(grid);
  await createPool(grid, { ...CONFIG, token: "planted-token" });
  const { body: pool } = await api.call("GET", `${POOLS}/pool`);
  const put = await api.call("PUT", `${POOLS}/pool`, pool);
  assert.equal(put.status, 200, put.text);
  const unit = "session";
  const steps = [
    [{}, { ...CONFIG, token: "planted-token", unit }],
    [{ host: "other.example" }, {
      ...CONFIG,
      host: "other.example",
      token: "planted-token",
      unit,
    }],
    [{ host: "h", password: "planted-new", token: null }, {
      host: "h",
      password: "planted-new",
      unit,
    }],
  ] as const;
  for (const [config, expected] of steps) {
    const body = Object.keys(config).length === 0
      ? { priority: 3 }
      : { provider_config: config };
    const { status, text } = await api.call("PATCH", `${POOLS}/pool`, body);
    assert.equal(status, 200, text);
    assert.deepEqual((await register(grid))[1], expected);
  }
  assertRefused(
    await api.call("PATCH", `${POOLS}/pool`, { provider_secrets: ["other"] }),
    { status: 422, code: "read_only_member" },
    /provider_secrets has names/,
  );
  assertRefused(
    await api.call("PATCH", `${POOLS}/pool`, {
      provider_config: { host: "h", password: null },
    }),
    { status: 422, code: "invalid_provider_config" },
    /password/,
  );
});

Deno.test("workers on machines receive what they start browsers with, and no secret of the infrastructure", async () => {
  await using grid = await scene();
  await createPool(grid, { ...CONFIG, unit: "worker" });
  assert.deepEqual(await register(grid), ["local", { sandbox: "off" }]);
});

Deno.test("the next start encrypts a provider's secrets of an earlier key with the current one", async () => {
  const dataDir = await Deno.makeTempDir();
  const [old, next] = ["ab".repeat(32), "cd".repeat(32)];
  try {
    {
      await using grid = await scene({
        dataDir,
        settings: { encryption_key: old },
      });
      await createPool(grid);
    }
    const settings = { encryption_key: next };
    {
      await using _ = await scene({
        dataDir,
        settings: { ...settings, previous_encryption_keys: [old] },
      });
    }
    await using grid = await scene({ dataDir, settings });
    assert.deepEqual((await register(grid))[1], { ...CONFIG, unit: "session" });
    const bytes = await Deno.readFile(join(dataDir, "browsergrid.db"));
    assert.doesNotMatch(new TextDecoder("latin1").decode(bytes), /planted/);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
