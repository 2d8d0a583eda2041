import assert from "node:assert/strict";
import { createApiClient } from "../../../support/api.ts";
import { testGrid } from "../../../support/grid.ts";

Deno.test("no response except the claim contains the proxy's password, a value of the environment or the browser's address", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const created = await api.call("POST", "/sessions", {
    proxy: {
      proxy_url: "http://proxy.example:3128",
      proxy_username: "me",
      proxy_password: "hush-proxy",
    },
    environment: { TOKEN: "hush-variable" },
  });
  const worker = await api.worker();
  const claimed = await api.claim(worker);
  assert.ok(claimed);
  assert.equal(claimed.proxy?.proxy_password, "hush-proxy");
  assert.equal(claimed.environment.TOKEN, "hush-variable");
  await api.report(worker, claimed, "running", {
    endpoint: "ws://127.0.0.1:9/devtools/browser/hush-endpoint",
  });
  const path = `/sessions/${claimed.id}`;
  const answers = [
    created,
    await api.call("GET", path),
    await api.call("GET", `${path}?include=events,metrics`),
    await api.call("GET", "/sessions"),
    await api.call("GET", `${path}/events`),
    await api.call("GET", `${path}/metrics`),
    await api.call("POST", `${path}/refresh`, {}),
    await api.call("GET", `/workerpool/workers/${worker}`),
    await api.call("DELETE", path),
    await api.call("DELETE", `${path}?force=true`),
    await api.call("GET", path),
    await api.call("POST", `${path}/refresh`, {}),
  ];
  for (const { text } of answers) assert.doesNotMatch(text, /hush/);
  assert.deepEqual(created.body.environment, ["TOKEN"]);
});
