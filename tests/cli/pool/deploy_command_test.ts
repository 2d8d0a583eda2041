import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("pool deploy-command prints the command of a session's browser, with secrets replaced", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  const api = createApiClient(grid);
  await api.pool({
    name: "here",
    provider_config: { executable_path: "/opt/chrome" },
  });
  const { id } = await api.session({
    headless: true,
    environment: { TOKEN: "secret-1" },
    screen: { width: 800, height: 600 },
    proxy: {
      proxy_url: "http://proxy.example:3128",
      proxy_username: "me",
      proxy_password: "secret-2",
    },
  });
  const { code, out, err } = await cli(
    ...["pool", "deploy-command", "here", id, ...at],
  );
  assert.deepEqual([code, err], [0, ""]);
  assert.match(out, /^TOKEN=… \/opt\/chrome --remote-debugging-port=9222 /);
  assert.match(out, /--window-size=800,600/);
  assert.doesNotMatch(out, /secret-/);
  const json = await cli(
    ...["pool", "deploy-command", "here", id, "--json", ...at],
  );
  assert.deepEqual(JSON.parse(json.out), { command: out });
});

Deno.test("pool deploy-command uses the provider of the pool", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool({
    name: "boxes",
    provider_type: "docker",
    provider_config: { image: "my/image:1" },
  });
  const { id } = await api.session({ resource_limits: { memory: "1G" } });
  const { code, out } = await cli(
    ...["pool", "deploy-command", "boxes", id, "--api-url", grid.url],
  );
  assert.equal(code, 0);
  assert.match(out, /^docker run /);
  assert.match(out, /my\/image:1/);
});

Deno.test("pool deploy-command ends with 1 for a pool or a session that does not exist", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool({ name: "here" });
  const { id } = await api.session();
  const unknown = "01900000-0000-7000-8000-000000000000";
  for (
    const [pool, session, code] of [
      ["nowhere", id, "pool_not_found"],
      ["here", unknown, "session_not_found"],
    ] as const
  ) {
    const result = await cli(
      ...["pool", "deploy-command", pool, session, "--api-url", grid.url],
    );
    assert.deepEqual([result.code, result.out], [1, ""]);
    assert.match(result.err, new RegExp(`\\[${code}\\]$`));
  }
});
