import assert from "node:assert/strict";
import { type Api, createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

/** A listening grid with a pool "pool", its API, and the options that lead to it. */
async function openScene() {
  const grid = await testGrid({ listen: true });
  const api: Api = createApiClient(grid);
  await api.pool();
  return {
    api,
    run: (...line: readonly string[]) =>
      cli("worker", ...line, "--api-url", grid.url),
    [Symbol.asyncDispose]: () => grid[Symbol.asyncDispose](),
  };
}

Deno.test("worker list prints name, status, load, provider and reach", async () => {
  await using scene = await openScene();
  const { api, run } = scene;
  assert.deepEqual(JSON.parse((await run("list")).out).rows, []);
  const id = await api.worker({ name: "one", capacity: 3 });
  const { head, rows } = JSON.parse((await run("list")).out);
  const [row] = rows;
  const cell = (name: string) => row[head.indexOf(name)];
  assert.deepEqual(
    ["name", "status", "load", "provider", "id"].map(cell),
    ["one", "online", "0/3", "local", id],
  );
  assert.match(cell("last heartbeat"), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const [record] = JSON.parse((await run("list", "--json")).out);
  assert.deepEqual([record.id, record.capacity], [id, 3]);
});

Deno.test("worker list shows the load of the last heartbeat", async () => {
  await using scene = await openScene();
  const { workerId } = await scene.api.running();
  await scene.api.call("PUT", `/workerpool/workers/${workerId}/heartbeat`, {
    current_load: 1,
  });
  const { head, rows } = JSON.parse((await scene.run("list")).out);
  assert.match(rows[0][head.indexOf("load")], /^1\//);
  const got = JSON.parse((await scene.run("get", workerId, "--json")).out);
  assert.equal(got.current_load, 1);
});

Deno.test("worker list shows the versions, and which of them the server does not support", async () => {
  await using scene = await openScene();
  const { api, run } = scene;
  for (const version of ["0.0.1", "1.2.3", undefined]) {
    await api.worker({ name: `version-${version}`, version });
  }
  const { head, rows } = JSON.parse((await run("list")).out);
  assert.deepEqual(
    rows.map((row: string[]) => row[head.indexOf("version")]),
    ["0.0.1", "1.2.3 (too new)", "unknown"],
  );
});

Deno.test("worker get finds a worker by id and by name", async () => {
  await using scene = await openScene();
  const id = await scene.api.worker({ name: "one" });
  const byId = JSON.parse((await scene.run("get", id, "--json")).out);
  const byName = JSON.parse((await scene.run("get", "one", "--json")).out);
  assert.equal(byId.id, id);
  assert.equal(byName.id, id);
});

Deno.test("a name of two workers is ambiguous, and neither is changed", async () => {
  await using scene = await openScene();
  const { api, run } = scene;
  await api.call("POST", "/workerpool/pools", {
    name: "other",
    provider_type: "local",
  });
  await api.worker({ name: "twin" });
  await api.worker({ name: "twin", work_pool_id: "other" });
  for (const verb of ["get", "drain", "resume", "delete"]) {
    const { code, err, out } = await run(verb, "twin");
    assert.deepEqual([code, out], [1, ""], verb);
    assert.match(err, /Cannot find worker "twin": several have this name/);
  }
  const records = JSON.parse((await run("list", "--json")).out);
  assert.deepEqual(
    records.map(({ status }: { status: string }) => status),
    ["online", "online"],
  );
});

Deno.test("an unknown name and an unknown id end with 1", async () => {
  await using scene = await openScene();
  const byName = await scene.run("get", "missing");
  assert.equal(byName.code, 1);
  assert.match(byName.err, /none has this name, expected the id or name/);
  const byId = await scene.run("get", crypto.randomUUID());
  assert.equal(byId.code, 1);
  assert.match(byId.err, /\[worker_not_found\]$/);
});

Deno.test("worker drain sets the deadline of --timeout, and resume cancels the drain", async () => {
  await using scene = await openScene();
  const { workerId } = await scene.api.running();
  const { out, err } = await scene.run(
    ...["drain", workerId, "--timeout", "600", "--json"],
  );
  assert.equal(err, "");
  assert.equal(JSON.parse(out).status, "draining");
  const beat = await scene.api.call(
    "PUT",
    `/workerpool/workers/${workerId}/heartbeat`,
    {},
  );
  assert.match(beat.text, /drain/);
  const resumed = await scene.run("resume", workerId, "--json");
  assert.notEqual(JSON.parse(resumed.out).status, "draining");
});

Deno.test("a timeout that is not a number of seconds is rejected before a request is sent", async () => {
  for (const text of ["soon", "-1", " ", "1m"]) {
    const { code, err } = await cli(
      ...["worker", "drain", "one", `--timeout=${text}`],
      ...["--api-url", "http://127.0.0.1:1"],
    );
    assert.equal(code, 2, text);
    assert.match(err, /expected a number of seconds, 0 or more/);
  }
});

Deno.test("worker delete rejects a worker that holds a session, and deletes one that holds none", async () => {
  await using scene = await openScene();
  const { api, run } = scene;
  const { workerId, claimed } = await api.running();
  const rejected = await run("delete", workerId);
  assert.equal(rejected.code, 1);
  assert.match(rejected.err, /\[worker_busy\]$/);
  await api.report(workerId, claimed, "crashed", {
    status_reason: "a test",
  });
  const deleted = await run("delete", workerId, "--json");
  assert.deepEqual(JSON.parse(deleted.out), { deleted: workerId });
  assert.deepEqual(JSON.parse((await run("list")).out).rows, []);
});
