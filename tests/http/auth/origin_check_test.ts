import assert from "node:assert/strict";
import { loadSettings } from "../../../src/core/settings.ts";
import { checkOrigin } from "../../../src/http/auth/origin_check.ts";
import { BOOTSTRAP_KEY } from "../../support/keys.ts";
import { testGrid, type TestGridOptions } from "../../support/grid.ts";

const EVIL = "https://evil.example";

/** Returns status and code of a page's request to pause a pool, and the status of the pool. */
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

Deno.test("a page of another site cannot change a grid without keys through a visitor's browser", async () => {
  const host = "127.0.0.1:8765";
  assert.deepEqual(await pausedBy({ host, origin: EVIL }), REFUSED);
  assert.deepEqual(await pausedBy({ host, origin: "null" }), REFUSED);
});

Deno.test("a page whose name resolves to this machine cannot change it", async () => {
  const host = "rebound.example:8765";
  assert.deepEqual(
    await pausedBy({ host, origin: `http://${host}` }),
    [403, "host_not_allowed", "active"],
  );
});

Deno.test("the page of the grid and allowed pages can change it", async () => {
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

Deno.test("requests with a key and clients that are not pages can change it from any origin", async () => {
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

Deno.test("an allowance of all origins does not cover pages with the cookie of a sign-in", () => {
  const settings = loadSettings({
    defaults: { allowed_origins: ["*"], data_dir: "/tmp" },
    env: {},
    flags: {},
  }).settings;
  const page = { origin: "http://127.0.0.1:9000", host: "127.0.0.1:8765" };
  checkOrigin(settings, page);
  assert.throws(
    () => checkOrigin(settings, { ...page, isSignedIn: true }),
    /not allowed/,
  );
  const own = { ...page, origin: "http://127.0.0.1:8765" };
  checkOrigin(settings, { ...own, isSignedIn: true });
});
