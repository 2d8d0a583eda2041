import assert from "node:assert/strict";
import { cli } from "../../support/cli.ts";
import { BOOTSTRAP_KEY, keyedGrid } from "../../support/keys.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("keys are created, shown once, listed and revoked", async () => {
  await using grid = await keyedGrid({ listen: true });
  await grid.admin.pool();
  const at = ["--api-url", grid.url, "--api-key", BOOTSTRAP_KEY];
  const made = await cli(
    ...["key", "create", "ci", "--role", "client", "--pool", "pool"],
    ...["--expires", "90d", ...at],
  );
  assert.equal(made.code, 0, made.err);
  const key = made.out;
  assert.match(key, /^bg_\w{8}_\w{43}$/);
  assert.match(made.err, /not shown again/);
  const prefix = key.slice(0, 11);
  const list = await cli("key", "list", ...at);
  assert.match(list.out, new RegExp(`"${prefix}","ci","client",.*"active"`));
  assert.ok(!list.out.includes(key.slice(12)));
  const own = ["--api-url", grid.url, "--api-key", key];
  assert.equal((await cli("session", "list", ...own)).code, 0);
  const refused = await cli("worker", "list", ...own);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /\[forbidden\]$/);
  // The whole key is accepted too, but not printed.
  const revoked = await cli("key", "revoke", key, ...at);
  assert.equal(revoked.out, `Key ${prefix} is revoked`);
  const after = await cli("session", "list", ...own);
  assert.match(after.err, /revoked.*\[unauthorized\]$/);
});

Deno.test("key create --json prints the whole key, and rejects a wrong role or duration", async () => {
  await using grid = await keyedGrid({ listen: true });
  const at = ["--api-url", grid.url, "--api-key", BOOTSTRAP_KEY];
  const made = await cli(
    ...["key", "create", "x", "--role", "worker", "--json", ...at],
  );
  const { key, role, expires_at } = JSON.parse(made.out);
  assert.deepEqual([role, expires_at], ["worker", null]);
  assert.equal(
    (await cli("key", "list", "--api-url", grid.url, "--api-key", key)).code,
    1,
  );
  const king = await cli("key", "create", "x", "--role", "king", ...at);
  assert.equal(king.code, 2);
  assert.match(king.err, /admin, client, worker, metrics/);
  const soon = await cli(
    ...["key", "create", "x", "--role", "client", "--expires", "soon", ...at],
  );
  assert.equal(soon.code, 2);
  assert.match(soon.err, /90d/);
});

Deno.test("a server that other machines can reach starts only if there is a key, also one of key create --direct", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    const where = ["--data-dir", dataDir];
    const serve = ["serve", "--host", "0.0.0.0", "--port", "0", ...where];
    const refused = await cli(...serve);
    assert.equal(refused.code, 2);
    assert.match(refused.err, /Cannot listen on 0\.0\.0\.0/);
    assert.match(refused.err, /BROWSERGRID_API_KEY/);
    const command = /browsergrid (key create .*)/.exec(refused.err)?.[1];
    const made = await cli(...(command ?? "").split(" "), ...where);
    assert.match(made.out, /^bg_/, made.err);
    await using grid = await testGrid({
      listen: true,
      settings: { host: "0.0.0.0" },
      dataDir,
      hasKeyFile: true,
    });
    const answer = await fetch(`${grid.url}/v1/sessions`, {
      headers: { "x-api-key": made.out },
    });
    assert.equal(answer.status, 200);
    await answer.body?.cancel();
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a server that other machines can reach does not start without the middleware that checks keys", async () => {
  const settings = {
    host: "0.0.0.0",
    api_key: "key-0123456789",
    middleware: [{ name: "api_key", enabled: false }],
  };
  await assert.rejects(testGrid({ listen: true, settings }), {
    name: "SettingsError",
    message: /api_key/,
  });
});

Deno.test("a server on a loopback address starts without a key, in every spelling of the address", async () => {
  for (const host of ["127.0.0.1", "localhost", "127.1.2.3"]) {
    await using grid = await testGrid({ listen: true, settings: { host } });
    const answer = await grid.request("/v1/sessions");
    assert.equal(answer.status, 200);
  }
});

Deno.test("key create sets the limits of a key, and rejects values that are not numbers", async () => {
  await using grid = await keyedGrid({ listen: true });
  const create = (...more: readonly string[]) =>
    cli(
      ...["key", "create", "guest", "--role", "client", ...more, "--json"],
      ...["--api-url", grid.url, "--api-key", BOOTSTRAP_KEY],
    );
  const limits = ["--max-sessions", "2", "--max-queue", "0"];
  const made = await create(...limits, "--max-priority", "-3");
  assert.equal(made.code, 0, made.err);
  const { max_sessions, max_queue, max_priority } = JSON.parse(made.out);
  assert.deepEqual([max_sessions, max_queue, max_priority], [2, 0, -3]);
  const many = await create("--max-sessions", "many");
  assert.equal(many.code, 2);
  assert.match(many.err, /--max-sessions "many": expected a whole number/);
  const none = await create("--max-sessions", "0");
  assert.equal(none.code, 1);
  assert.match(none.err, /max_sessions/);
});
