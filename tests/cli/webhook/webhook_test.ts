import assert from "node:assert/strict";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";
import {
  RECEIVER_SETTINGS,
  startReceiver,
} from "../../support/webhook_receiver.ts";

const URL = "https://hooks.invalid/x";

/** A listening grid that may send to loopback, and its `webhook` command. */
async function openScene() {
  const grid = await testGrid({ listen: true, settings: RECEIVER_SETTINGS });
  const run = (...line: readonly string[]) =>
    cli("webhook", ...line, "--api-url", grid.url);
  return {
    grid,
    run,
    /** Creates a webhook and returns it. */
    async create(...more: readonly string[]) {
      const { out, err } = await run("create", "a", ...more, "--json");
      return JSON.parse(out || err);
    },
    async rows(...line: readonly string[]) {
      const { out, err } = await run(...line);
      const { head, rows } = JSON.parse(out || err);
      return rows.map((row: readonly string[]) =>
        Object.fromEntries(row.map((cell, at) => [head[at], cell]))
      );
    },
    [Symbol.asyncDispose]: () => grid[Symbol.asyncDispose](),
  };
}

Deno.test("a webhook is created with its secret shown once, listed, shown, changed and deleted", async () => {
  await using scene = await openScene();
  const { run } = scene;
  const made = await run(
    ...["create", "alerts", "--url", URL, "--event-pattern", "session.*"],
  );
  assert.equal(made.code, 0, made.err);
  const [, id = "", secret = ""] =
    /^Webhook {2}(\S+)\nEvents {3}session\.\*\nURL {6}https:\S+\nSecret {3}(whsec_\S+)$/
      .exec(made.out) ?? [];
  assert.match(made.err, /not shown again/);
  assert.deepEqual(await scene.rows("list"), [{
    id,
    name: "alerts",
    status: "active",
    failures: "0",
    events: "session.*",
    url: URL,
  }]);
  const shown = await run("get", id, "--json");
  assert.equal(JSON.parse(shown.out).name, "alerts");
  assert.ok(!shown.out.includes("whsec_"));
  const changed = await run(
    ...["update", id, "--active", "false", "--name", "b", "--json"],
  );
  const { active, name } = JSON.parse(changed.out);
  assert.deepEqual([active, name], [false, "b"]);
  assert.equal((await scene.rows("list"))[0].status, "requested");
  const rotated = await run("rotate-secret", id, "--overlap", "60");
  const [, second = ""] = /^Secret {3}(whsec_\S+)$/m.exec(rotated.out) ?? [];
  assert.ok(second !== "" && second !== secret);
  assert.match(rotated.err, /previous one signs until 2\S+Z$/);
  assert.equal((await run("delete", id)).out, `Deleted webhook ${id}`);
  const gone = await run("get", id);
  assert.equal(gone.code, 1);
  assert.match(gone.err, /\[webhook_not_found\]$/);
});

Deno.test("options set every field of a webhook", async () => {
  await using scene = await openScene();
  const { run } = scene;
  await cli(
    ...["pool", "create", "local", "--name", "here"],
    ...["--api-url", scene.grid.url],
  );
  const webhook = await scene.create(
    ...["--url", URL, "--event-pattern", "cdp:Network.responseReceived"],
    ...["--filter", "params.response.status ge 400"],
    ...["--filter", "target.type eq page", "--pool", "here"],
    ...["--label", "team=a", "--label", "x=y=z", "--description", "text"],
    ...["--header", "Authorization=Bearer b=", "--timeout-seconds", "3"],
    ...["--max-attempts", "2", "--include-connect-url", "true"],
    ...["--active", "false"],
  );
  const { id, work_pool_id, ...others } = webhook;
  assert.ok(work_pool_id);
  assert.deepEqual(others.filters, [
    { path: "params.response.status", operator: "ge", value: 400 },
    { path: "target.type", operator: "eq", value: "page" },
  ]);
  assert.deepEqual(others.labels, { team: "a", x: "y=z" });
  assert.deepEqual(others.headers, ["Authorization"]);
  assert.deepEqual(
    [others.description, others.timeout_seconds, others.max_attempts],
    ["text", 3, 2],
  );
  assert.deepEqual(
    [others.include_connect_url, others.active],
    [true, false],
  );
  const changes = ["--label", "team=b", "--max-attempts", "5"];
  const changed = await run("update", id, ...changes, "--json");
  const { labels, max_attempts, filters } = JSON.parse(changed.out);
  assert.deepEqual([labels, max_attempts], [{ team: "b" }, 5]);
  assert.deepEqual(filters, others.filters);
  const errors = await scene.create(
    ...["--url", URL, "--template", "queue_longer_than"],
    ...["--queue-longer-than", "7"],
  );
  assert.deepEqual(
    [errors.event_pattern, errors.queue_longer_than],
    ["pool.queue_long", 7],
  );
});

Deno.test("wrong options of webhooks are rejected with what is expected", async () => {
  await using scene = await openScene();
  const at = ["--url", URL, "--event-pattern", "session.*"];
  for (
    const [args, code, message] of [
      [["create", "a"], 2, /expected --url URL/],
      [["create", "a", "--url", URL], 1, /event_pattern/],
      [["create", "a", ...at, "--label", "x"], 2, /--label.*expected NAME=/],
      [["create", "a", ...at, "--max-attempts", "x"], 2, /a whole number/],
      [["create", "a", ...at, "--filter", "x"], 2, /PATH OPERATOR VALUE/],
      [["create", "a", ...at, "--template", "x"], 2, /console_errors/],
      [["create", "a", ...at, "--active", "yes"], 2, /--active/],
      [["create", "a", ...at, "--session", "x"], 1, /\[session_not_found\]/],
      [["update", "x"], 2, /there is no change/],
      [
        ["deliveries", "x", "--status", "lost"],
        2,
        /pending, delivered, failed/,
      ],
      [["retry", "x", "y"], 2, /"y": expected a number/],
      [["rotate-secret", "x", "--overlap", "long"], 2, /number of seconds/],
      [["test", "x"], 1, /\[webhook_not_found\]/],
    ] as const
  ) {
    const { code: exit, err } = await scene.run(...args);
    assert.equal(exit, code, `${args}: ${err}`);
    assert.match(err, message);
  }
});

Deno.test("a test shows its result, and deliveries are listed by status and sent again", async () => {
  await using scene = await openScene();
  let status = 500;
  await using receiver = await startReceiver(() => ({ status, body: "why" }));
  const { id } = await scene.create(
    ...["--url", receiver.url, "--event-pattern", "session.*"],
  );
  const failed = await scene.run("test", id);
  assert.equal(failed.code, 1);
  assert.match(failed.out, /^Test \d+ is failed: .*500.* \(\d+ ms\)$/);
  status = 204;
  const good = await scene.run("test", id);
  assert.equal(good.code, 0, good.err);
  assert.match(good.out, /^Test \d+ is delivered: HTTP 204 \(\d+ ms\)$/);
  const [delivery, ...others] = await scene.rows(
    ...["deliveries", id, "--status", "failed"],
  );
  assert.deepEqual(others, []);
  assert.deepEqual(
    [delivery.type, delivery.status, delivery.attempts],
    ["webhook.test", "failed", "1"],
  );
  assert.match(delivery["last attempt"], /500/);
  const json = await scene.run("deliveries", id, "--limit", "1", "--json");
  assert.equal(JSON.parse(json.out).length, 1);
  const retried = await scene.run("retry", id, delivery.id);
  assert.equal(retried.out, `Delivery ${delivery.id} is pending`);
  await receiver.waitFor(3);
});
