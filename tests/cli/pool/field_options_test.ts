import assert from "node:assert/strict";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

/** Options of every field of a pool: text, expected field, expected value. */
const FIELDS = [
  ["--description", "for tests", "description", "for tests"],
  ["--priority", "7", "priority", 7],
  ["--browser", "chrome", "default_browser", "chrome"],
  ["--browser-version", "latest", "default_browser_version", "latest"],
  ["--headless", "false", "default_headless", false],
  ["--operating-system", "linux", "default_operating_system", "linux"],
  ["--max-sessions", "20", "max_sessions", 20],
  ["--max-queue", "5", "max_queue", 5],
  ["--min-ready", "2", "min_ready", 2],
  ["--ready-max-age-minutes", "30", "ready_max_age_minutes", 30],
  ["--egress", "none", "egress", "none"],
  ["--min-workers", "1", "min_workers", 1],
  ["--max-workers", "9", "max_workers", 9],
  ["--max-sessions-per-worker", "4", "max_sessions_per_worker", 4],
  ["--max-timeout-minutes", "90", "max_timeout_minutes", 90],
] as const;

/** Options whose text is a list or JSON. */
const STRUCTURED = [
  ["--screen", "800x600", "default_screen", { width: 800, height: 600 }],
  ["--resource-limits", '{"cpu":1}', "default_resource_limits", { cpu: 1 }],
  ["--allowed-arguments", "--lang, --force-*", "allowed_arguments", [
    "--lang",
    "--force-*",
  ]],
  ["--egress-allow", "10.0.0.0/8,a.test:443", "egress_allow", [
    "10.0.0.0/8",
    "a.test:443",
  ]],
] as const;

function create(url: string, ...options: readonly string[]) {
  return cli(
    ...["pool", "create", "local", "--name", "here", "--json"],
    ...["--api-url", url, ...options],
  );
}

function update(url: string, ...options: readonly string[]) {
  return cli("pool", "update", "here", "--json", "--api-url", url, ...options);
}

Deno.test("pool create sets each field of its option, all in one request", async () => {
  await using grid = await testGrid({ listen: true });
  const { out, err, code } = await create(
    grid.url,
    ...FIELDS.flatMap(([flag, text]) => [flag, text]),
  );
  assert.equal(code, 0, err);
  const pool = JSON.parse(out);
  for (const [flag, , field, value] of FIELDS) {
    assert.deepEqual(pool[field], value, flag);
  }
});

Deno.test("pool update sets each field of its option alone, and keeps the others", async () => {
  await using grid = await testGrid({ listen: true });
  let pool = JSON.parse((await create(grid.url)).out);
  for (const [flag, text, field, value] of [...FIELDS, ...STRUCTURED]) {
    const { out, err, code } = await update(grid.url, flag, text);
    assert.equal(code, 0, err);
    const next = JSON.parse(out);
    assert.partialDeepStrictEqual(next[field], value, flag);
    const changed = Object.keys(next).filter((name) =>
      JSON.stringify(next[name]) !== JSON.stringify(pool[name])
    );
    const expected = new Set([field, "updated_at"]);
    assert.deepEqual(changed.filter((name) => !expected.has(name)), [], flag);
    pool = next;
  }
});

Deno.test("pool update with null removes limits and defaults", async () => {
  await using grid = await testGrid({ listen: true });
  const limits = ["--max-sessions", "3", "--max-queue", "2"];
  await create(grid.url, ...limits, "--screen", "800x600");
  const { out, err } = await update(
    grid.url,
    ...["--max-sessions", "null", "--max-queue", "null"],
  );
  assert.equal(err, "");
  const { max_sessions, max_queue, default_screen } = JSON.parse(out);
  assert.deepEqual([max_sessions, max_queue], [null, null]);
  assert.equal(default_screen.width, 800);
});

Deno.test("pool update renames a pool, which keeps its id", async () => {
  await using grid = await testGrid({ listen: true });
  const { id } = JSON.parse((await create(grid.url)).out);
  const renamed = JSON.parse((await update(grid.url, "--name", "there")).out);
  assert.deepEqual([renamed.id, renamed.name], [id, "there"]);
  const old = await cli("pool", "get", "here", "--api-url", grid.url);
  assert.match(old.err, /\[pool_not_found\]$/);
});

Deno.test("pool update replaces the provider's configuration as a whole", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url, "--json"];
  await cli(
    ...["pool", "create", "docker", "--name", "box", "--shm-size", "3G"],
    ...at,
  );
  const set = (config: string) =>
    cli("pool", "update", "box", "--provider-config", config, ...at);
  const { out } = await set('{"image":"my/image"}');
  const { provider_config } = JSON.parse(out);
  assert.equal(provider_config.image, "my/image");
  assert.notEqual(provider_config.shm_size, "3G");
  const wrong = await set('{"imge":"my/image"}');
  assert.deepEqual([wrong.code, wrong.out], [1, ""]);
  assert.match(wrong.err, /imge/);
});

Deno.test("text that is not JSON, a size or a list is rejected before a request is sent", async () => {
  const nowhere = "http://127.0.0.1:1";
  const cases = [
    ["--priority", "high", /--priority "high": expected a value as JSON/],
    ["--headless", "maybe", /--headless "maybe"/],
    ["--screen", "big", /--screen "big"/],
    ["--proxy", "proxy.example", /--proxy "proxy.example"/],
    ["--environment", "TZ=UTC", /--environment "TZ=UTC"/],
  ] as const;
  for (const [flag, text, expected] of cases) {
    for (const run of [create, update]) {
      const { code, err, out } = await run(nowhere, flag, text);
      assert.deepEqual([code, out], [2, ""], err);
      assert.match(err, expected);
    }
  }
});

Deno.test("values that the server rejects end with 1 and name the field", async () => {
  await using grid = await testGrid({ listen: true });
  await create(grid.url);
  const cases = [
    ["--max-sessions", "-1", /max_sessions/],
    ["--priority", '"high"', /priority/],
    ["--egress", "some", /egress/],
    ["--egress-allow", "10.0.0.0/99", /egress_allow/],
    ["--max-timeout-minutes", "0", /max_timeout_minutes/],
  ] as const;
  for (const [flag, text, expected] of cases) {
    const { code, err, out } = await update(grid.url, flag, text);
    assert.deepEqual([code, out], [1, ""], err);
    assert.match(err, expected, flag);
    assert.match(err, /\[invalid_request\]$/);
  }
});

Deno.test("secrets of a pool are stored and never printed", async () => {
  await using grid = await testGrid({ listen: true });
  const proxy = {
    proxy_url: "http://proxy.example:3128",
    proxy_username: "me",
    proxy_password: "secret-of-the-proxy",
  };
  const { out, err, code } = await create(
    grid.url,
    ...["--proxy", JSON.stringify(proxy)],
    ...["--environment", '{"TOKEN":"secret-of-the-variable"}'],
  );
  assert.equal(code, 0, err);
  assert.match(out, /proxy\.example/);
  assert.match(out, /TOKEN/);
  const shown = await cli("pool", "get", "here", "--api-url", grid.url);
  for (const text of [out, err, shown.out, shown.err]) {
    assert.ok(!/secret-of-the/.test(text), text);
  }
});
