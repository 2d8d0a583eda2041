import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("session create sends every option as a field of the session", async () => {
  await using grid = await testGrid({ listen: true });
  const { id: poolId } = await createApiClient(grid).pool({ name: "here" });
  const { out, code, err } = await cli(
    ...["session", "create", "--pool", "here", "--browser", "chromium"],
    ...["--headless", "false", "--screen", "1024x768", "--priority", "-3"],
    ...["--label", "team=search", "--label", "ci", "--env", "TZ=UTC"],
    ...["--timeout-minutes", "7", "--idle-timeout-seconds", "90"],
    ...["--proxy-url", "http://proxy.example:3128", "--json"],
    ...["--api-url", grid.url],
  );
  assert.equal(code, 0, err);
  const session = JSON.parse(out);
  assert.partialDeepStrictEqual(session, {
    work_pool_id: poolId,
    browser: "chromium",
    headless: false,
    priority: -3,
    labels: { team: "search", ci: "" },
    environment: ["TZ"],
    idle_timeout_seconds: 90,
    resource_limits: { timeout_minutes: 7 },
    screen: { width: 1024, height: 768 },
    proxy: { proxy_url: "http://proxy.example:3128" },
  });
});

Deno.test("session create names each wrong field, and sends nothing", async () => {
  const cases: readonly [readonly string[], RegExp][] = [
    [["--headless", "perhaps"], /headless: /],
    [["--max-connections", "0"], /max_connections: /],
    [["--memory", "much"], /resource_limits\.memory: /],
    [["--priority", "high", "--cpu", "none"], /cpu: [^]*priority: /],
  ];
  for (const [args, fault] of cases) {
    const { code, out, err } = await cli(
      ...["session", "create", ...args, "--api-url", "http://127.0.0.1:1"],
    );
    assert.deepEqual([code, out], [2, ""], args.join(" "));
    assert.match(err, /^error: Cannot create the session: /);
    assert.match(err, fault);
  }
});

Deno.test("session create with one --idempotency-key returns one session", async () => {
  await using grid = await testGrid({ listen: true });
  await createApiClient(grid).pool();
  const create = async (...args: readonly string[]) => {
    const { out } = await cli(
      ...["session", "create", "--json", "--api-url", grid.url, ...args],
    );
    return JSON.parse(out).id;
  };
  const key = ["--idempotency-key", "build-7"];
  assert.equal(await create(...key), await create(...key));
  assert.notEqual(await create(), await create());
});

Deno.test("session create ends with 1 without a pool that fits", async () => {
  await using grid = await testGrid({ listen: true });
  const { code, out, err } = await cli(
    ...["session", "create", "--api-url", grid.url],
  );
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, /^error: Cannot [^\n]+ \[\w+\]$/);
});
