import assert from "node:assert/strict";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

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
