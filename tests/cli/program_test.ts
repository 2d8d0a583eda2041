import assert from "node:assert/strict";
import { createApiClient } from "../support/api.ts";
import { cli } from "../support/cli.ts";
import { testGrid } from "../support/grid.ts";

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

Deno.test("sessions are created, listed, shown and stopped", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  await cli("pool", "create", "local", "--name", "here", ...at);
  const made = await cli(
    ...["session", "create", "--screen", "800x600", "--cpu", "1"],
    ...["--memory", "1G", "--env", "A=b=c", "--label", "x=y", "--json", ...at],
    ...["--max-connections", "3", "--queue-timeout-seconds", "60"],
  );
  assert.equal(made.code, 0, made.err);
  const session = JSON.parse(made.out);
  const { id, screen, labels, environment, max_connections } = session;
  assert.deepEqual([screen.width, screen.height], [800, 600]);
  assert.deepEqual([labels, environment], [{ x: "y" }, ["A"]]);
  assert.equal(max_connections, 3);
  const list = await cli("session", "list", "--status", "pending", ...at);
  assert.ok(list.out.includes(id));
  const events = await cli("session", "events", id, ...at);
  assert.match(events.out, /session_created/);
  const stopped = await cli("session", "stop", id, ...at);
  assert.equal(stopped.out, `Session ${id} is completed`);
  const metrics = await cli("session", "metrics", id, "--json", ...at);
  assert.equal(metrics.out, "[]", metrics.err);
  const waited = await cli("session", "create", "--wait", "0.1", ...at);
  assert.equal(waited.code, 1);
  assert.match(waited.err, /still pending after 0\.1 s/);
  const once = ["session", "create", "--idempotency-key", "k", "--json", ...at];
  const [first, again] = [await cli(...once), await cli(...once)];
  assert.equal(JSON.parse(first.out).id, JSON.parse(again.out).id);
  const reused = await cli(...once, "--priority", "1");
  assert.deepEqual([reused.code, /another body/.test(reused.err)], [1, true]);
  const open = JSON.parse(first.out);
  const longer = await cli(
    ...["session", "refresh", open.id, "--minutes", "90", "--json", ...at],
  );
  assert.ok(JSON.parse(longer.out).expires_at > open.expires_at, longer.err);
  const wrong = await cli("session", "create", "--screen", "big", ...at);
  assert.match(wrong.err, /WIDTHxHEIGHT/);
});

Deno.test("session create accepts arguments in every spelling, and limits of the session", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  await cli("pool", "create", "local", "--name", "here", ...at);
  const made = await cli(
    ...["session", "create", "--argument=--lang=de-DE", "--argument"],
    ...["--user-agent=a --b=c", "--argument", "--mute-audio", "--json", ...at],
    ...["--max-connections", "3", "--queue-timeout-seconds", "7"],
  );
  assert.equal(made.code, 0, made.err);
  const { id, max_connections } = JSON.parse(made.out);
  assert.equal(max_connections, 3);
  const shown = await cli("session", "get", id, ...at);
  const { rows } = JSON.parse(shown.out);
  const fields = Object.fromEntries(rows);
  assert.equal(
    fields.arguments,
    '["--lang=de-DE","--user-agent=a --b=c","--mute-audio"]',
  );
  assert.deepEqual([fields.max_connections, fields.warm], ["3", "false"]);
  const refused = await cli("session", "create", "--argument=--x", ...at);
  assert.deepEqual([refused.code, refused.out], [1, ""]);
  assert.match(refused.err, /not allowed: --x, expected some of --accept-lang/);
  const wrong = await cli("session", "create", "--argument", "lang=de", ...at);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /arguments\.0: expected --name or --name=value/);
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

Deno.test("workers are listed, shown, drained, resumed and deleted, by id or name", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  await cli("pool", "create", "local", "--name", "here", ...at);
  const api = createApiClient(grid);
  const id = await api.worker({ work_pool_id: "here", name: "one" });
  await api.call("PUT", `/workerpool/workers/${id}/heartbeat`, { ready: 2 });
  const list = await cli("worker", "list", ...at);
  assert.match(list.out, /"one","online","0\/5","2"/, list.err);
  const changed = await cli(
    ...["pool", "update", "here", "--min-ready", "3"],
    ...["--ready-max-age-minutes", "5", "--json", ...at],
  );
  assert.equal(JSON.parse(changed.out).ready_max_age_minutes, 5);
  const pressure = await cli("pool", "pressure", "here", ...at);
  assert.match(pressure.out, /\["ready","2"\],\["min_ready","3"\]/);
  const drained = await cli(
    ...["worker", "drain", "one", "--timeout", "60", "--json", ...at],
  );
  assert.equal(JSON.parse(drained.out).status, "draining", drained.err);
  const resumed = await cli("worker", "resume", id, "--json", ...at);
  assert.equal(JSON.parse(resumed.out).status, "online");
  const wrong = await cli("worker", "drain", "one", "--timeout", "x", ...at);
  assert.match(wrong.err, /--timeout "x".*expected a number/);
  assert.equal((await cli("worker", "delete", "one", ...at)).code, 0);
  const gone = await cli("worker", "get", "one", ...at);
  assert.deepEqual([gone.code, /none has this name/.test(gone.err)], [1, true]);
});

Deno.test("migrate, createdb and status report the migrations of a database", async () => {
  const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    const at = ["--data-dir", dir];
    const before = await cli("migrate", "status", "--json", ...at);
    assert.equal(JSON.parse(before.out)[0].appliedAt, undefined);
    assert.match((await cli("createdb", ...at)).out, /^Applied to .*0000/);
    assert.match((await cli("migrate", ...at)).out, /is up to date$/);
    const after = await cli("migrate", "status", "--json", ...at);
    assert.ok(JSON.parse(after.out)[0].appliedAt > 0);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
