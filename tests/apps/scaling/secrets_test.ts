import assert from "node:assert/strict";
import { machines, scaledPools } from "../../../src/apps/scaling/models.ts";
import { createFakeMachines } from "../../support/fake_machines.ts";
import { testGrid } from "../../support/grid.ts";
import { BOOTSTRAP_KEY } from "../../support/keys.ts";
import { createApiClient } from "../../support/api.ts";
import { createScaler } from "./scene.ts";

const OLD_KEY = "0a".repeat(32);
const NEW_KEY = "0b".repeat(32);

Deno.test("the start of a server encrypts keys and configurations of machines with its current key, and a repeated start has the same key", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  const fake = createFakeMachines();
  const options = { dataDir, providers: [fake.provider] };
  const shared = { api_key: BOOTSTRAP_KEY, public_url: "https://grid.example" };
  try {
    {
      await using grid = await testGrid({
        ...options,
        settings: { ...shared, encryption_key: OLD_KEY },
      });
      const headers = { "x-api-key": BOOTSTRAP_KEY };
      await createApiClient(grid, headers).pool({
        provider_type: "machines",
        min_workers: 1,
      });
      fake.knobs.startError = new Error("connection reset");
      await using scaler = createScaler(grid);
      await scaler.runOnce();
      await scaler.settle();
    }
    await using grid = await testGrid({
      ...options,
      settings: {
        ...shared,
        encryption_key: NEW_KEY,
        previous_encryption_keys: [OLD_KEY],
      },
    });
    const { db: { orm }, secrets } = grid.core;
    const [machine] = await orm.select().from(machines);
    const [pool] = await orm.select().from(scaledPools);
    const prefix = (await secrets.currentPattern()).replace("%", "");
    for (const sealed of [machine?.key, pool?.providerConfig]) {
      assert.ok(sealed?.startsWith(prefix), sealed ?? "nothing is stored");
    }
    await orm.update(scaledPools).set({ retryAt: null });
    fake.knobs.startError = undefined;
    await using scaler = createScaler(grid);
    await scaler.runOnce();
    await scaler.settle();
    const [first, second] = fake.starts;
    assert.ok(first?.apiKey);
    assert.deepEqual(second, first);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
