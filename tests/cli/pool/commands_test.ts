import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";
import { BOOTSTRAP_KEY, keyedGrid } from "../../support/keys.ts";

function readRows(out: string): readonly (readonly string[])[] {
  return JSON.parse(out).rows;
}

Deno.test("pool list prints one row a pool, and with --json the API's records", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  const empty = await cli("pool", "list", ...at);
  assert.deepEqual(readRows(empty.out), []);
  await cli("pool", "create", "local", "--name", "a", ...at);
  await cli(
    ...["pool", "create", "docker", "--name", "b", "--priority", "2"],
    ...["--max-sessions", "9", ...at],
  );
  const { out } = await cli("pool", "list", ...at);
  const rows = readRows(out).map((row) => row.slice(0, 5)).toSorted();
  assert.deepEqual(rows, [
    ["a", "local", "active", "0", "no limit"],
    ["b", "docker", "active", "2", "9"],
  ]);
  const json = await cli("pool", "list", "--json", ...at);
  const names = JSON.parse(json.out).map(({ name }: { name: string }) => name);
  assert.deepEqual(names.toSorted(), ["a", "b"]);
});

Deno.test("pool get finds a pool by name and by id, and prints no empty field", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  const made = await cli(
    "pool",
    "create",
    "local",
    "--name",
    "here",
    "--json",
    ...at,
  );
  const { id } = JSON.parse(made.out);
  const byId = await cli("pool", "get", id, ...at);
  const byName = await cli("pool", "get", "here", ...at);
  assert.equal(byId.out, byName.out);
  const fields = new Map(
    readRows(byId.out).map(([name, value]) => [name, value]),
  );
  assert.equal(fields.get("id"), id);
  assert.ok(!fields.has("max_sessions"));
  assert.ok([...fields.values()].every((value) => value !== ""));
});

Deno.test("a paused pool takes no sessions until it is resumed, a draining one neither", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  await cli("pool", "create", "local", "--name", "here", ...at);
  const create = () =>
    cli("session", "create", "--pool", "here", "--json", ...at);
  for (const verb of ["pause", "drain"]) {
    assert.equal((await cli("pool", verb, "here", ...at)).code, 0);
    const rejected = await create();
    assert.equal(rejected.code, 1);
    assert.match(rejected.err, /\[pool_paused\]$/, verb);
    assert.equal((await cli("pool", "resume", "here", ...at)).code, 0);
    assert.equal((await create()).code, 0);
  }
});

Deno.test("pool pressure counts queued sessions, workers and room", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  await cli("pool", "create", "local", "--name", "here", ...at);
  await createApiClient(grid).worker({ work_pool_id: "here", capacity: 3 });
  await cli("session", "create", ...at);
  const { out, err } = await cli("pool", "pressure", "here", "--json", ...at);
  assert.equal(err, "");
  const pressure = JSON.parse(out);
  assert.deepEqual(
    [pressure.pending, pressure.running, pressure.workers_online],
    [1, 0, 1],
    out,
  );
});

Deno.test("pool delete rejects a pool with a live session, and deletes it after the session's end", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  await cli("pool", "create", "local", "--name", "here", ...at);
  const made = await cli("session", "create", "--json", ...at);
  const rejected = await cli("pool", "delete", "here", ...at);
  assert.equal(rejected.code, 1);
  assert.match(rejected.err, /\[pool_in_use\]$/);
  await cli("session", "stop", JSON.parse(made.out).id, ...at);
  const deleted = await cli("pool", "delete", "here", "--json", ...at);
  assert.deepEqual(JSON.parse(deleted.out), { deleted: "here" });
});

Deno.test("a name that is taken is rejected, in create and in update", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  for (const name of ["a", "b"]) {
    await cli("pool", "create", "local", "--name", name, ...at);
  }
  const lines = [
    ["pool", "create", "local", "--name", "a"],
    ["pool", "update", "b", "--name", "a"],
  ];
  for (const line of lines) {
    const { code, err } = await cli(...line, ...at);
    assert.equal(code, 1);
    assert.match(err, /\[pool_name_taken\]$/, line.join(" "));
  }
});

Deno.test("pool create needs a provider and a name, and lists the providers", async () => {
  const none = await cli("pool", "create");
  assert.match(none.out + none.err, /docker/);
  assert.match(none.out + none.err, /local/);
  const unknown = await cli("pool", "create", "dockr", "--name", "x");
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /Did you mean docker\?/);
  const unnamed = await cli("pool", "create", "local");
  assert.equal(unnamed.code, 2);
  assert.match(unnamed.err, /--name/);
});

Deno.test("a client's key may not create, change or delete pools", async () => {
  await using grid = await keyedGrid({ listen: true });
  await grid.admin.pool();
  const at = ["--api-url", grid.url];
  const made = await cli(
    ...["key", "create", "guest", "--role", "client"],
    ...at,
    "--api-key",
    BOOTSTRAP_KEY,
  );
  const lines = [
    ["pool", "create", "local", "--name", "mine"],
    ["pool", "update", "pool", "--priority", "1"],
    ["pool", "pause", "pool"],
    ["pool", "delete", "pool"],
  ];
  for (const line of lines) {
    const { code, err, out } = await cli(...line, ...at, "--api-key", made.out);
    assert.deepEqual([code, out], [1, ""], line.join(" "));
    assert.match(err, /\[forbidden\]$/);
  }
});

Deno.test("pool deploy-command prints the line that starts a session's browser, without secrets", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  await cli(
    ...["pool", "create", "docker", "--name", "box", "--image", "my/image"],
    ...at,
  );
  const session = await createApiClient(grid).session({
    environment: { TOKEN: "secret-of-the-variable" },
    resource_limits: { memory: "1G" },
    screen: { width: 800, height: 600 },
  });
  const { out, err } = await cli(
    "pool",
    "deploy-command",
    "box",
    session.id,
    ...at,
  );
  assert.equal(err, "");
  assert.match(out, /^docker run .*my\/image/s);
  assert.match(out, /TOKEN/);
  assert.ok(!/secret-of/.test(out), out);
  const json = await cli(
    ...["pool", "deploy-command", "box", session.id, "--json", ...at],
  );
  assert.equal(JSON.parse(json.out).command, out);
  const unknown = await cli("pool", "deploy-command", "box", "x", ...at);
  assert.match(unknown.err, /\[session_not_found\]$/);
});
