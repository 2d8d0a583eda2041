/**
 * No option of a session is ignored silently: unsupported options are rejected before the session is queued.
 *
 * @module
 */
import assert from "node:assert/strict";
import { azureContainerInstance } from "../../../src/providers/azure_container_instance/provider.ts";
import { type Api, assertRefused, createApiClient } from "../../support/api.ts";
import { keyedGrid } from "../../support/keys.ts";
import { testGrid } from "../../support/grid.ts";

const REFUSED = { status: 422, code: "browser_not_available" };

const ask = (api: Api, body: unknown) => api.call("POST", "/sessions", body);

/** Registers a worker that reports the operating system of its host. */
const workerOn = (api: Api, os: string, name: string) =>
  api.worker({ provider_details: { os }, name });

Deno.test("an operating system that no worker has is rejected with the available ones, and the default is the worker's", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const windows = { operating_system: "windows" };
  assertRefused(
    await ask(api, windows),
    REFUSED,
    /Cannot start a browser on windows: .*on linux in pool/,
  );
  assert.equal((await api.session()).operating_system, "linux");
  await workerOn(api, "windows", "one");
  assert.equal((await api.session(windows)).operating_system, "windows");
  assert.equal((await api.session()).operating_system, "windows");
  const { body } = await ask(api, { operating_system: "macos" });
  assert.equal(body.code, REFUSED.code);
  assert.deepEqual(body.available[0].operating_systems, ["windows"]);
});

Deno.test("containers run Linux on every host, and a pool's default is checked like a session's option", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ provider_type: "docker" });
  await workerOn(api, "darwin", "mac");
  assertRefused(await ask(api, { operating_system: "macos" }), REFUSED);
  assert.equal((await api.session()).operating_system, "linux");
  const { status } = await api.call("PATCH", "/workerpool/pools/pool", {
    default_operating_system: "windows",
  });
  assert.equal(status, 200);
  assertRefused(await ask(api, {}), REFUSED);
});

Deno.test("the pool that has the requested system is selected", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ priority: 9 });
  const mac = await api.pool({ name: "mac" });
  await workerOn(api, "linux", "one");
  await api.worker({ work_pool_id: "mac", provider_details: { os: "darwin" } });
  const { work_pool_id } = await api.session({ operating_system: "macos" });
  assert.equal(work_pool_id, mac.id);
});

Deno.test("a proxy that the provider does not support is rejected with a reason, in a session and in a pool", async () => {
  await using grid = await keyedGrid();
  const { admin } = grid;
  await admin.pool({ name: "local" });
  await admin.pool({ name: "docker", provider_type: "docker" });
  const client = await grid.asNew();
  const proxy = (proxy_url: string, fields = {}) => ({
    proxy: { proxy_url, ...fields },
  });
  const user = { proxy_username: "me", proxy_password: "pw" };
  const at = (name: string, wish: object) => ({ ...wish, work_pool_id: name });
  const cases: readonly [Api, string, object, boolean][] = [
    [admin, "local", proxy("socks5://p.example:1080", user), true],
    [admin, "local", proxy("socks4://p.example:1080"), true],
    [admin, "local", proxy("socks4://p.example:1080", user), false],
    [admin, "local", proxy("http://p.example", { proxy_password: "x" }), false],
    [admin, "docker", proxy("http://p.example:1", user), true],
    [admin, "docker", proxy("socks5://p.example:1080"), true],
    [admin, "docker", proxy("socks5://p.example:1080", user), false],
    [admin, "docker", proxy("https://p.example:1", user), false],
    // Sessions of clients connect through the container's own proxy.
    [client, "docker", proxy("socks5://p.example:1080", user), true],
    [client, "docker", proxy("socks4://p.example:1080"), false],
    [client, "docker", proxy("https://p.example:1"), false],
  ];
  for (const [api, name, wish, isTaken] of cases) {
    const answer = await ask(api, at(name, wish));
    const said = `${name} ${JSON.stringify(wish)}`;
    if (isTaken) assert.equal(answer.status, 201, `${said} ${answer.text}`);
    else {
      assertRefused(answer, REFUSED, /proxy|proxies/);
      assert.doesNotMatch(answer.text, /"pw"|:pw/, said);
    }
  }
  await admin.call("PATCH", "/workerpool/pools/docker", {
    default_proxy: { proxy_url: "socks5://p.example:1080", ...user },
  });
  assertRefused(await ask(admin, at("docker", {})), REFUSED);
});

Deno.test("creating a pool returns a warning if its provider starts no browsers or not its default browser", async () => {
  const empty = { ...azureContainerInstance, browsers: () => [] };
  await using grid = await testGrid({ providers: [empty] });
  const api = createApiClient(grid);
  const azure = await api.pool({
    provider_type: "azure_container_instance",
    provider_config: {
      resource_group: "g",
      subscription_id: "00000000-0000-4000-8000-00000000000a",
    },
  });
  assert.match(azure.warnings[0], /starts no browsers with provider "azure/);
  assertRefused(await ask(api, {}), REFUSED);
  const odd = await api.pool({ name: "odd", default_browser: "safari" });
  assert.match(
    odd.warnings[0],
    /^Cannot start a session with the defaults of work pool ".*has no such browser$/,
  );
  assert.deepEqual((await api.pool({ name: "good" })).warnings, []);
});

Deno.test("a pool with workers that are not offline is deleted only with force, one with live sessions never", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const path = "/workerpool/pools/pool";
  const inUse = { status: 409, code: "pool_in_use" };
  assertRefused(await api.call("DELETE", path), inUse, /workers.*force=true/);
  const { id } = await api.session();
  for (const query of ["", "?force=true"]) {
    const answer = await api.call("DELETE", path + query);
    assertRefused(answer, inUse, /live sessions, expected none/);
  }
  await api.call("DELETE", `/sessions/${id}`);
  assertRefused(await api.call("DELETE", `${path}?force=false`), inUse);
  assert.equal((await api.call("DELETE", `${path}?force=true`)).status, 204);
  const gone = await api.call("GET", `/workerpool/workers/${worker}`);
  assert.equal(gone.status, 404);
  await api.pool();
  const left = await api.worker();
  await api.call("PUT", `/workerpool/workers/${left}/heartbeat`, {
    status: "offline",
  });
  assert.equal((await api.call("DELETE", path)).status, 204);
});
