import assert from "node:assert/strict";
import { cli } from "../../support/cli.ts";
import { BOOTSTRAP_KEY, keyedGrid } from "../../support/keys.ts";

/** A listening grid that requires a key, and its `key` command. */
async function openScene() {
  const grid = await keyedGrid({ listen: true });
  const run = (...line: readonly string[]) =>
    cli("key", ...line, "--api-url", grid.url, "--api-key", BOOTSTRAP_KEY);
  return {
    grid,
    run,
    create: async (name: string, ...more: readonly string[]) =>
      JSON.parse((await run("create", name, "--json", ...more)).out),
    [Symbol.asyncDispose]: () => grid[Symbol.asyncDispose](),
  };
}

Deno.test("key list prints the newest key first, with role, pool and expiry", async () => {
  await using scene = await openScene();
  await scene.grid.admin.pool();
  await scene.create("first", "--role", "admin");
  await scene.create("second", "--role", "worker", "--pool", "pool");
  await scene.create("third", "--role", "client", "--expires", "12h");
  const { head, rows } = JSON.parse((await scene.run("list")).out);
  const column = (name: string) =>
    rows.map((row: readonly string[]) => row[head.indexOf(name)]);
  assert.deepEqual(column("name"), ["third", "second", "first"]);
  assert.deepEqual(column("role"), ["client", "worker", "admin"]);
  assert.deepEqual(column("status"), ["active", "active", "active"]);
  assert.deepEqual(column("last used"), ["never", "never", "never"]);
  const [third, second] = column("expires");
  assert.match(third, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(second, "never");
  assert.notEqual(column("pool")[1], "");
});

Deno.test("key list --limit prints that many keys, and rejects what is not a number", async () => {
  await using scene = await openScene();
  for (const name of ["a", "b", "c"]) {
    await scene.create(name, "--role", "client");
  }
  const { rows } = JSON.parse((await scene.run("list", "--limit", "2")).out);
  assert.deepEqual(rows.map((row: readonly string[]) => row[1]), ["c", "b"]);
  const wrong = await scene.run("list", "--limit", "two");
  assert.deepEqual([wrong.code, wrong.out], [1, ""]);
  assert.match(wrong.err, /limit: .*\[invalid_request\]$/);
});

Deno.test("a revoked key stays listed as revoked, with or without --json", async () => {
  await using scene = await openScene();
  const { prefix } = await scene.create("guest", "--role", "client");
  const revoked = await scene.run("revoke", prefix, "--json");
  assert.deepEqual(JSON.parse(revoked.out), { revoked: prefix });
  assert.match((await scene.run("list")).out, /"guest","client","","revoked"/);
  const [record] = JSON.parse((await scene.run("list", "--json")).out);
  assert.equal(record.status, "revoked");
});

Deno.test("no output of key list contains a key, only its prefix", async () => {
  await using scene = await openScene();
  const { key, prefix } = await scene.create("guest", "--role", "client");
  for (const more of [[], ["--json"]]) {
    const { out, err } = await scene.run("list", ...more);
    assert.ok(out.includes(prefix));
    assert.ok(!(out + err).includes(key.slice(prefix.length + 1)));
  }
});

Deno.test("revoking an unknown prefix ends with 1", async () => {
  await using scene = await openScene();
  const unknown = await scene.run("revoke", "bg_00000000");
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /\[key_not_found\]$/);
});

Deno.test("key create parses each unit of --expires", async () => {
  await using scene = await openScene();
  const cases = [
    ["30m", 30 / 1_440],
    ["12h", 0.5],
    ["90d", 90],
    ["2w", 14],
    ["1y", 365],
  ] as const;
  for (const [text, days] of cases) {
    const before = Date.now();
    const { expires_at } = await scene.create(
      text,
      ...["--role", "client", "--expires", text],
    );
    const left = (Date.parse(expires_at) - before) / 86_400_000;
    assert.ok(Math.abs(left - days) < 0.01, `${text}: ${left}`);
  }
  for (const text of ["0d", "-1d", "1.5d", "d", "90"]) {
    const { code, err } = await scene.run(
      ...["create", "x", "--role", "client", `--expires=${text}`],
    );
    assert.equal(code, 2, text);
    assert.match(err, /expected a number with m, h, d, w or y, such as 90d/);
  }
});

Deno.test("a key of an unknown pool is not created", async () => {
  await using scene = await openScene();
  const { code, err } = await scene.run(
    ...["create", "x", "--role", "worker", "--pool", "missing"],
  );
  assert.equal(code, 1);
  assert.match(err, /\[pool_not_found\]$/);
  assert.deepEqual(JSON.parse((await scene.run("list")).out).rows, []);
});
