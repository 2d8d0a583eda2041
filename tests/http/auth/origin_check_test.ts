import assert from "node:assert/strict";
import { BOOTSTRAP_KEY } from "../../support/keys.ts";
import { testGrid, type TestGridOptions } from "../../support/grid.ts";

const EVIL = "https://evil.example";

/** The status and the code of a pause that a page asks for, and whether the pool is paused then. */
async function pausedBy(
  headers: Readonly<Record<string, string>>,
  settings: TestGridOptions["settings"] = {},
  key?: string,
): Promise<readonly unknown[]> {
  const own = key === undefined ? {} : { "x-api-key": key };
  await using grid = await testGrid({ settings: { ...settings } });
  const json = { name: "default", provider_type: "local" };
  const pools = "/v1/workerpool/pools";
  await grid.request(pools, { method: "POST", json, headers: own });
  const response = await grid.request(`${pools}/default/pause`, {
    method: "POST",
    headers: { ...own, ...headers },
  });
  const { code } = await response.json();
  const { status } = await grid.pools.get("default");
  return [response.status, code, status];
}

const REFUSED = [403, "origin_not_allowed", "active"];
const SERVED = [200, undefined, "paused"];

Deno.test("a page of another site cannot have a visitor's browser change a grid that asks for no key", async () => {
  const host = "127.0.0.1:8765";
  assert.deepEqual(await pausedBy({ host, origin: EVIL }), REFUSED);
  assert.deepEqual(await pausedBy({ host, origin: "null" }), REFUSED);
});

Deno.test("a page whose name was pointed at this machine cannot either", async () => {
  const host = "rebound.example:8765";
  assert.deepEqual(
    await pausedBy({ host, origin: `http://${host}` }),
    [403, "host_not_allowed", "active"],
  );
});

Deno.test("the grid's own page, and those that are allowed, can", async () => {
  const host = "127.0.0.1:8765";
  assert.deepEqual(await pausedBy({ host, origin: `http://${host}` }), SERVED);
  assert.deepEqual(
    await pausedBy({ host, origin: EVIL }, { allowed_origins: [EVIL] }),
    SERVED,
  );
  assert.deepEqual(
    await pausedBy({ host, origin: EVIL }, { public_url: `${EVIL}/grid` }),
    SERVED,
  );
  assert.deepEqual(
    await pausedBy({ host, origin: EVIL }, {
      middleware: [{ name: "cors", options: { origins: [EVIL] } }],
    }),
    SERVED,
  );
});

Deno.test("who shows a key, or is no page, can from anywhere", async () => {
  assert.deepEqual(await pausedBy({ host: "localhost:8765" }), SERVED);
  assert.deepEqual(
    await pausedBy(
      { origin: EVIL },
      { api_key: BOOTSTRAP_KEY },
      BOOTSTRAP_KEY,
    ),
    SERVED,
  );
});
