import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { FULL_POOL } from "./full_pool.ts";

const POOLS = "/workerpool/pools";

Deno.test("a pool returns every field that it was created with", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const made = await api.pool(FULL_POOL);
  for (const ref of [made.id, "everything"]) {
    const { body } = await api.call("GET", `${POOLS}/${ref}`);
    const { provider_config: _, ...expected } = FULL_POOL;
    for (const [name, value] of Object.entries(expected)) {
      assert.deepEqual(body[name], value, name);
    }
  }
});

Deno.test("no response about a pool contains its proxy password or its environment's values", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const secrets = {
    default_proxy: {
      proxy_url: "http://proxy.example:3128",
      proxy_username: "me",
      proxy_password: "hush-proxy",
    },
    default_environment: { TOKEN: "hush-variable" },
  };
  const made = await api.call("POST", POOLS, {
    name: "pool",
    provider_type: "local",
    ...secrets,
  });
  const answers = [
    made,
    await api.call("GET", POOLS),
    await api.call("GET", `${POOLS}/pool`),
    await api.call("PATCH", `${POOLS}/pool`, { priority: 1 }),
    await api.call("PUT", `${POOLS}/pool`, {
      name: "pool",
      provider_type: "local",
      ...secrets,
    }),
    await api.call("POST", `${POOLS}/pool/pause`),
    await api.call("POST", `${POOLS}/pool/resume`),
    await api.call("GET", `${POOLS}/pool/pressure`),
  ];
  for (const { status, text } of answers) {
    assert.ok(status < 300, text);
    assert.doesNotMatch(text, /hush/);
  }
  assert.deepEqual(made.body.default_environment, ["TOKEN"]);
  assert.deepEqual(made.body.default_proxy, {
    proxy_url: "http://proxy.example:3128",
    proxy_username: "me",
  });
});
