import assert from "node:assert/strict";
import { createApiClient } from "../support/api.ts";
import { awaitStatus } from "../support/await_status.ts";
import { browserSpec } from "../support/browser_spec.ts";
import { createFakeBrowser } from "../support/fake_provider.ts";
import { MemoryState } from "../support/memory_state.ts";
import { workerScene } from "../support/worker.ts";

Deno.test("a worker that is started before its server registers when the server starts", async () => {
  const free = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = free.addr;
  free.close();
  await using early = await workerScene({ settings: { port } });
  // No server listens at first.
  const url = `http://127.0.0.1:${port}`;
  await early.grid[Symbol.asyncDispose]();
  const starting = early.start({ apiUrl: url });
  await using scene = await workerScene({ settings: { port } });
  await using worker = await starting;
  const found = await scene.grid.workers.get(worker.id);
  assert.equal(found.status, "online");
});

Deno.test("a worker that waits for its server stops waiting when its signal is aborted", async () => {
  await using scene = await workerScene();
  const stop = new AbortController();
  const starting = scene.start({
    apiUrl: "http://127.0.0.1:1",
    signal: stop.signal,
  });
  stop.abort(new Error("enough"));
  await assert.rejects(starting, /enough/);
});

Deno.test("a worker of a pool that does not exist is rejected without a retry", async () => {
  await using scene = await workerScene();
  await scene.grid.request("/v1/workerpool/pools/fakes", { method: "DELETE" });
  await assert.rejects(scene.start(), /Cannot find work pool "fakes"/);
});

Deno.test("a worker that is disposed ends its browsers and reports that", async () => {
  await using scene = await workerScene();
  const worker = await scene.start();
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "running");
  await worker[Symbol.asyncDispose]();
  assert.equal(scene.provider.running.size, 0);
  const { status, statusReason } = await scene.grid.sessions.get(id);
  assert.equal(status, "terminated");
  assert.match(statusReason ?? "", /worker was stopped/);
});

Deno.test("a drained worker claims no sessions and is done when its last one ends", async () => {
  await using scene = await workerScene();
  await using worker = await scene.start();
  const first = await scene.ask();
  await awaitStatus(scene.grid, first, "running");
  await scene.grid.request(`/v1/workerpool/workers/${worker.id}/drain`, {
    method: "POST",
  });
  const second = await scene.ask();
  await scene.grid.request(`/v1/sessions/${first}`, { method: "DELETE" });
  assert.equal(await worker.done, "drained");
  assert.equal((await scene.grid.sessions.get(second)).status, "pending");
});

Deno.test("a restarted worker adopts its running browsers, reports missing ones as crashed and sweeps the rest", async () => {
  await using scene = await workerScene();
  const { grid } = scene;
  const secret = "a-secret-of-16-letters";
  const api = createApiClient(grid);
  const fields = { work_pool_id: "fakes", name: "back", secret };
  const id = await api.worker(fields);
  await Deno.mkdir(`${grid.dataDir}/workers`);
  await Deno.writeTextFile(
    `${grid.dataDir}/workers/fakes-back.json`,
    JSON.stringify({ name: "back", secret, id }),
  );
  const alive = await scene.ask();
  const missing = await scene.ask();
  for (const session of [alive, missing]) {
    const claimed = await api.claim(id);
    assert.equal(claimed?.id, session);
    await api.report(id, claimed, "running", {
      endpoint: "ws://127.0.0.1:1/devtools/browser/x",
    });
  }
  const orphan = crypto.randomUUID();
  const adopted = createFakeBrowser(browserSpec(), alive);
  scene.provider.knobs.leftovers = [
    adopted,
    createFakeBrowser(browserSpec(), orphan),
  ];
  await using again = await scene.start({ name: "back" });
  assert.equal(again.id, id);
  await awaitStatus(grid, missing, "crashed");
  assert.equal((await grid.sessions.get(alive)).status, "running");
  assert.deepEqual(scene.provider.swept, [orphan]);
  adopted.die("killed");
  await awaitStatus(grid, alive, "crashed");
});

Deno.test("a second process of a worker on one host is rejected while the first runs, and may start after it", async () => {
  await using scene = await workerScene();
  const first = await scene.start({ name: "one" });
  await assert.rejects(
    scene.start({ name: "one" }),
    /another process on this host runs the same worker, expected one/,
  );
  await first[Symbol.asyncDispose]();
  await using second = await scene.start({ name: "one" });
  assert.equal(second.id, first.id);
});

Deno.test("a worker whose state is used by a newer process ends when that process has registered", async () => {
  await using scene = await workerScene();
  const state = { name: "one", secret: "a-secret-of-16-letters" };
  const first = await scene.start({ state: new MemoryState(state) });
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "running");
  await using _second = await scene.start({ state: new MemoryState(state) });
  // The newer process has no such browser.
  await awaitStatus(scene.grid, id, "crashed");
  assert.equal(await first.done, "replaced");
  await first.kill();
  assert.equal(scene.provider.running.size, 0);
  await first[Symbol.asyncDispose]();
});

Deno.test("a worker that leaves is offline immediately, and the session that it was starting is pending again", async () => {
  await using scene = await workerScene();
  const worker = await scene.start();
  scene.provider.knobs.hold = new Promise(() => {});
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "starting");
  await worker[Symbol.asyncDispose]();
  assert.equal((await scene.grid.workers.get(worker.id)).status, "offline");
  assert.equal((await scene.grid.sessions.get(id)).status, "pending");
  scene.provider.knobs.hold = undefined;
  await using _next = await scene.start();
  await awaitStatus(scene.grid, id, "running");
});

Deno.test("a worker that is drained by the server ends its sessions and is done when the drain timeout passes", async () => {
  await using scene = await workerScene({ settings: { heartbeat_seconds: 1 } });
  await using worker = await scene.start();
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "running");
  await scene.grid.workers.drain(worker.id, 0);
  assert.equal(await worker.done, "drained");
  await awaitStatus(scene.grid, id, "terminated");
});

Deno.test("a worker claims again after its drain is withdrawn", async () => {
  await using scene = await workerScene();
  await using worker = await scene.start();
  const first = await scene.ask();
  await awaitStatus(scene.grid, first, "running");
  await scene.grid.workers.drain(worker.id);
  const second = await scene.ask();
  await scene.grid.workers.resume(worker.id);
  await awaitStatus(scene.grid, second, "running");
});

Deno.test("a worker whose row was deleted registers again with its id, and claims", async () => {
  await using scene = await workerScene({
    settings: { heartbeat_seconds: 1 },
  });
  await using worker = await scene.start();
  await scene.grid.workers.remove(worker.id);
  const id = await scene.ask();
  const { workerId } = await awaitStatus(scene.grid, id, "running");
  assert.equal(workerId, worker.id);
});

Deno.test("workers with new ids and one host register under them, each with a name of its own, and end once they are drained", async () => {
  await using scene = await workerScene();
  const ids = [
    "01a20ad3-1b8c-72fd-b6ee-000000000001",
    "01a20ad3-1b8c-72fd-b6ee-000000000002",
  ];
  for (const workerId of ids) {
    await using worker = await scene.start({
      workerId,
      // Each on a machine with a data folder of its own.
      state: new MemoryState(),
    });
    assert.equal(worker.id, workerId);
    assert.equal(worker.name, `worker-${workerId.slice(-12)}`);
    await scene.grid.workers.drain(workerId);
    assert.equal(await worker.done, "drained");
  }
});
