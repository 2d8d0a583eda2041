import assert from "node:assert/strict";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("pools are created, listed, changed, paused, resumed, drained and deleted", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  const made = await cli(
    ...["pool", "create", "docker", "--name", "box", "--browser", "chrome"],
    ...["--image", "my/image:{version}", "--shm-size", "2G"],
    ...["--headless", "true", "--max-sessions", "7", "--json", ...at],
  );
  assert.equal(made.code, 0, made.err);
  const pool = JSON.parse(made.out);
  assert.equal(pool.provider_config.image, "my/image:{version}");
  assert.deepEqual(
    [pool.default_browser, pool.default_headless, pool.max_sessions],
    ["chrome", true, 7],
  );
  const list = await cli("pool", "list", ...at);
  assert.match(list.out, /"box","docker","active"/);
  const changed = await cli(
    ...["pool", "update", "box", "--max-sessions", "null", "--priority", "3"],
    ...["--description", "new", "--json", ...at],
  );
  const { max_sessions, priority, description } = JSON.parse(changed.out);
  assert.deepEqual([max_sessions, priority, description], [null, 3, "new"]);
  for (
    const [verb, status] of [
      ["pause", "paused"],
      ["resume", "active"],
      ["drain", "draining"],
    ] as const
  ) {
    const { out } = await cli("pool", verb, "box", "--json", ...at);
    assert.equal(JSON.parse(out).status, status);
  }
  assert.equal((await cli("pool", "delete", "box", ...at)).code, 0);
  const gone = await cli("pool", "get", "box", ...at);
  assert.deepEqual([gone.code, /pool_not_found/.test(gone.err)], [1, true]);
});

Deno.test("every provider's options are checked before the server is asked", async () => {
  const missing = await cli(
    ...["pool", "create", "azure_container_instance", "--name", "x"],
    ...["--api-url", "http://127.0.0.1:1"],
  );
  assert.equal(missing.code, 2);
  assert.match(missing.err, /resource.group/);
  const wrong = await cli(
    ...["pool", "create", "docker", "--name", "x", "--pids-limit", "few"],
    ...["--api-url", "http://127.0.0.1:1"],
  );
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /--pids-limit/);
});

Deno.test("a pool's list of arguments is set, emptied and removed", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--json", "--api-url", grid.url];
  const made = await cli(
    ...["pool", "create", "local", "--name", "here", "--min-ready", "2"],
    ...[
      "--ready-max-age-minutes",
      "15",
      "--allowed-arguments",
      "--lang",
      ...at,
    ],
  );
  assert.equal(made.code, 0, made.err);
  const pool = JSON.parse(made.out);
  assert.deepEqual(
    [pool.allowed_arguments, pool.min_ready, pool.ready_max_age_minutes],
    [["--lang"], 2, 15],
  );
  const cases = [
    ["--lang, --force-*", ["--lang", "--force-*"]],
    ["none", []],
    ["default", null],
  ] as const;
  for (const [list, expected] of cases) {
    const changed = await cli(
      ...["pool", "update", "here", `--allowed-arguments=${list}`, ...at],
    );
    assert.deepEqual(JSON.parse(changed.out).allowed_arguments, expected);
  }
  const egress = ["--egress", "none", "--egress-allow", "10.0.0.0/8, a.test:1"];
  const closed = await cli("pool", "update", "here", ...egress, ...at);
  assert.partialDeepStrictEqual(JSON.parse(closed.out), {
    egress: "none",
    egress_allow: ["10.0.0.0/8", "a.test:1"],
  });
  const emptied = await cli(
    ...["pool", "update", "here", "--egress-allow", "none", ...at],
  );
  assert.deepEqual(JSON.parse(emptied.out).egress_allow, []);
  const wrong = await cli(
    ...["pool", "update", "here", "--allowed-arguments", "--headless", ...at],
  );
  assert.deepEqual([wrong.code, wrong.out], [1, ""]);
  assert.match(wrong.err, /"--headless" can never be allowed: .*headless/);
});
