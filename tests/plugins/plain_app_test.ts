/** An app that imports nothing, as a file beside the compiled program must be. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { loadPlugins } from "../../src/cli/plugins.ts";
import type { App } from "../../src/core/app.ts";
import { APPS } from "../../src/installed.ts";
import { createApiClient } from "../support/api.ts";
import { testGrid } from "../support/grid.ts";
import { keyedGrid } from "../support/keys.ts";

const FOLDER = fileURLToPath(new URL("./visits", import.meta.url));

async function plainApps(): Promise<readonly App[]> {
  const { apps } = await loadPlugins(["./plugin.js"], FOLDER);
  return apps.slice(APPS.length);
}

Deno.test("an app in JavaScript has its table, endpoints and error code, and uses another app by name", async () => {
  assert.doesNotMatch(
    await Deno.readTextFile(`${FOLDER}/plugin.js`),
    /^import /m,
  );
  await using grid = await testGrid({ apps: await plainApps() });
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  const path = `/sessions/${id}/visits`;
  const before = await api.call("GET", path);
  assert.deepEqual([before.status, before.body.code], [404, "never_visited"]);
  await api.call("POST", path);
  const second = await api.call("POST", path);
  assert.deepEqual([second.status, second.body], [200, { visits: 2 }]);
  assert.deepEqual((await api.call("GET", path)).body, { visits: 2 });
  const unknown = await api.call(
    "POST",
    `/sessions/${crypto.randomUUID()}/visits`,
  );
  assert.equal(unknown.body.code, "session_not_found");
  const document = await (await grid.request("/openapi.json")).json();
  const { get } = document.paths["/v1/sessions/{id}/visits"];
  assert.match(get.responses["404"].description, /never_visited/);
});

Deno.test("an endpoint of a plugin is for admins only, unless it names other roles", async () => {
  await using grid = await keyedGrid({ apps: await plainApps() });
  await grid.admin.pool();
  const client = await grid.asNew();
  const { id } = await client.session();
  const path = `/sessions/${id}/visits`;
  const said = await client.call("GET", path);
  assert.equal(said.body.code, "never_visited");
  const unsaid = await client.call("POST", path);
  assert.deepEqual([unsaid.status, unsaid.body.code], [403, "forbidden"]);
  assert.equal((await grid.admin.call("POST", path)).status, 200);
});
