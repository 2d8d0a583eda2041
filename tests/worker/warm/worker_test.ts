import assert from "node:assert/strict";
import { awaitStatus } from "../../support/await_status.ts";
import { eventually } from "../../support/eventually.ts";
import { logRecords } from "../../support/log_records.ts";
import { MemoryState } from "../../support/memory_state.ts";
import { type WorkerScene, workerScene } from "../../support/worker.ts";

const POOL = "/v1/workerpool/pools/fakes";

/** Sets `min_ready` of the scene's pool and waits until that many browsers are ready. */
async function keepReady(scene: WorkerScene, count: number): Promise<void> {
  await scene.grid.request(POOL, {
    method: "PATCH",
    json: { min_ready: count },
  });
  await readyAre(scene, count);
}

async function readyAre(scene: WorkerScene, count: number): Promise<void> {
  await eventually(`${count} browsers are ready`, async () => {
    const answer = await scene.grid.request(`${POOL}/pressure`);
    return (await answer.json()).ready === count;
  });
}

Deno.test("a change of min_ready takes effect immediately, a session gets a warm browser, and it is replaced", async () => {
  await using scene = await workerScene();
  await using _worker = await scene.start();
  const askedAt = performance.now();
  await keepReady(scene, 2);
  assert.ok(performance.now() - askedAt < 5_000, "it waits for no heartbeat");
  const endpoints = [...scene.provider.running.values()].map(({ endpoint }) =>
    endpoint.href
  );
  const id = await scene.ask();
  const session = await awaitStatus(scene.grid, id, "running");
  assert.ok(session.warm);
  const { endpoint } = await scene.grid.sessions.target(id);
  assert.ok(endpoints.includes(endpoint ?? ""));
  const events = await scene.grid.sessions.events(id, 0, 100);
  assert.deepEqual(
    events.find(({ event }) => event === "browser_started")?.data,
    { warm: true },
  );
  await readyAre(scene, 2);
  assert.equal(scene.provider.running.size, 3);
  await scene.grid.request(`${POOL}/pause`, { method: "POST" });
  await readyAre(scene, 0);
  assert.equal(scene.provider.running.size, 1);
});

Deno.test("concurrent sessions get different browsers, warm or not, and never exceed the capacity", async () => {
  await using scene = await workerScene();
  await using _worker = await scene.start({ capacity: 6 });
  await keepReady(scene, 4);
  const ids = await Promise.all(
    Array.from({ length: 12 }, (_, n) => scene.ask({ headless: n % 3 > 0 })),
  );
  const endpoints = new Set<string>();
  let warm = 0;
  await Promise.all(ids.map(async (id) => {
    const session = await awaitStatus(scene.grid, id, "running");
    const { endpoint } = await scene.grid.sessions.target(id);
    endpoints.add(endpoint ?? "");
    if (session.warm) warm++;
    await scene.grid.request(`/v1/sessions/${id}`, { method: "DELETE" });
    await awaitStatus(scene.grid, id, "completed");
  }));
  assert.equal(endpoints.size, ids.length);
  assert.ok(warm > 0, "some were ready");
  assert.ok(scene.provider.mostAtOnce() <= 6);
  await readyAre(scene, 4);
});

Deno.test("a killed worker restarts with the browsers that it had handed over, and sweeps its other warm browsers", async () => {
  await using scene = await workerScene();
  const state = new MemoryState({
    name: "one",
    secret: "a-secret-of-16-letters",
  });
  const killed = await scene.start({ state });
  await keepReady(scene, 2);
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "running");
  await scene.grid.request(POOL, { method: "PATCH", json: { min_ready: 0 } });
  const { endpoint } = await scene.grid.sessions.target(id);
  const running = [...scene.provider.running.values()];
  scene.provider.knobs.leftovers = running;
  await using _next = await scene.start({ state });
  const swept = running.filter((each) => each.endpoint.href !== endpoint);
  await eventually(
    "the warm browsers are swept",
    () => Promise.resolve(scene.provider.swept.length >= swept.length),
  );
  assert.equal((await scene.grid.sessions.get(id)).status, "running");
  await scene.grid.request(`/v1/sessions/${id}`, { method: "DELETE" });
  await awaitStatus(scene.grid, id, "completed");
  await killed[Symbol.asyncDispose]();
  assert.equal(scene.provider.running.size, 0);
});

Deno.test("Worker.kill() leaves no warm browser", async () => {
  await using scene = await workerScene();
  await using worker = await scene.start();
  await keepReady(scene, 2);
  await worker.kill();
  assert.equal(scene.provider.running.size, 0);
});

Deno.test("a worker whose pool is deleted ends its warm browsers and is done", async () => {
  await using scene = await workerScene({ settings: { heartbeat_seconds: 1 } });
  await using worker = await scene.start();
  await keepReady(scene, 2);
  await using log = await logRecords();
  const { status } = await scene.grid.request(`${POOL}?force=true`, {
    method: "DELETE",
  });
  assert.equal(status, 204);
  assert.equal(await worker.done, "rejected");
  const rejected = log.records.find(({ rawMessage }) =>
    String(rawMessage).startsWith("Server rejects worker")
  );
  // The message without a stack, because the rejection is expected.
  assert.match(
    String(rejected?.properties["error"]),
    /^Cannot find work pool "fakes": no pool has this id or name/,
  );
  assert.equal(typeof rejected?.properties["error"], "string");
  await eventually(
    "no browser runs",
    () => Promise.resolve(scene.provider.running.size === 0),
  );
});

Deno.test("a draining worker keeps no warm browser, and a disposed one leaves none", async () => {
  await using scene = await workerScene();
  const worker = await scene.start();
  await keepReady(scene, 2);
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "running");
  await scene.grid.workers.drain(worker.id);
  await eventually(
    "its session's browser is the only one",
    () => Promise.resolve(scene.provider.running.size === 1),
  );
  await scene.grid.workers.resume(worker.id);
  await readyAre(scene, 2);
  await worker[Symbol.asyncDispose]();
  assert.equal(scene.provider.running.size, 0);
  assert.equal((await scene.grid.workers.get(worker.id)).ready, 0);
});
