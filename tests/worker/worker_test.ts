import assert from "node:assert/strict";
import type { BusEvent } from "../../src/core/bus.ts";
import { systemClock } from "../../src/async/clock.ts";
import type { StateStore, WorkerState } from "../../src/worker/state_file.ts";
import { createApiClient } from "../support/api.ts";
import { awaitStatus } from "../support/await_status.ts";
import { browserSpec } from "../support/browser_spec.ts";
import type { TestGrid } from "../support/grid.ts";
import { createFakeBrowser } from "../support/fake_provider.ts";
import { workerScene } from "../support/worker.ts";

Deno.test("a worker runs a session and ends its browser when the session is deleted", async () => {
  await using scene = await workerScene();
  await using worker = await scene.start();
  const id = await scene.ask();
  const running = await awaitStatus(scene.grid, id, "running");
  assert.equal(running.workerId, worker.id);
  assert.deepEqual([...scene.provider.running.keys()], [id]);
  await scene.grid.request(`/v1/sessions/${id}`, { method: "DELETE" });
  await awaitStatus(scene.grid, id, "completed");
  assert.equal(scene.provider.running.size, 0);
});

Deno.test("a worker hands the session's wishes to the provider", async () => {
  await using scene = await workerScene();
  await using _worker = await scene.start();
  const id = await scene.ask({
    headless: false,
    screen: { width: 800, height: 600 },
    environment: { TZ: "UTC" },
    proxy: { proxy_url: "http://proxy.example:3128", proxy_password: "pw" },
    resource_limits: { cpu: 0.5, memory: "1G" },
  });
  await awaitStatus(scene.grid, id, "running");
  const spec = scene.provider.running.get(id)?.spec;
  assert.deepEqual([spec?.headless, spec?.screen.width], [false, 800]);
  assert.deepEqual(spec?.environment, { TZ: "UTC" });
  assert.equal(spec?.proxy?.proxy_password, "pw");
  assert.equal(spec?.cpu, 0.5);
  assert.equal(spec?.memoryBytes, 2 ** 30);
});

Deno.test("a start that fails is reported with its reason, without the session's secrets", async () => {
  await using scene = await workerScene();
  await using _worker = await scene.start();
  scene.provider.knobs.startError = "no luck with TOKEN=hush-hush";
  const id = await scene.ask({ environment: { TOKEN: "hush-hush" } });
  const { statusReason } = await awaitStatus(scene.grid, id, "failed");
  assert.match(statusReason ?? "", /no luck with TOKEN=…/);
});

Deno.test("a start that takes too long fails and is given up", async () => {
  await using scene = await workerScene({
    settings: { start_timeout_seconds: 1 },
  });
  await using _worker = await scene.start();
  scene.provider.knobs.hold = new Promise(() => {});
  const id = await scene.ask();
  const { statusReason } = await awaitStatus(scene.grid, id, "failed");
  assert.match(statusReason ?? "", /did not start within 1 s/);
  assert.equal(scene.provider.running.size, 0);
});

Deno.test("a browser that dies makes its session crashed with what is known of it", async () => {
  await using scene = await workerScene();
  await using _worker = await scene.start();
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "running");
  scene.provider.running.get(id)?.die("exit code 139");
  const { statusReason } = await awaitStatus(scene.grid, id, "crashed");
  assert.equal(statusReason, "exit code 139");
});

Deno.test("a session that is deleted while it starts is never run", async () => {
  await using scene = await workerScene();
  await using _worker = await scene.start();
  scene.provider.knobs.hold = new Promise(() => {});
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "starting");
  await scene.grid.request(`/v1/sessions/${id}`, { method: "DELETE" });
  await awaitStatus(scene.grid, id, "completed");
  assert.equal(scene.provider.running.size, 0);
});

Deno.test("a worker never holds more sessions than its capacity, and serves the rest as they end", async () => {
  await using scene = await workerScene();
  const ids = await Promise.all(Array.from({ length: 6 }, () => scene.ask()));
  await using _worker = await scene.start({ capacity: 2 });
  for (const id of ids) {
    await awaitStatus(scene.grid, id, "running");
    await scene.grid.request(`/v1/sessions/${id}`, { method: "DELETE" });
    await awaitStatus(scene.grid, id, "completed");
  }
  assert.equal(scene.provider.mostAtOnce(), 2);
});

Deno.test("a worker may be started before its server", async () => {
  const free = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = free.addr;
  free.close();
  await using early = await workerScene({ settings: { port } });
  // Its address is taken by nobody: the first tries fail.
  const url = `http://127.0.0.1:${port}`;
  await early.grid[Symbol.asyncDispose]();
  const starting = early.start({ apiUrl: url });
  await using scene = await workerScene({ settings: { port } });
  await using worker = await starting;
  const found = await scene.grid.workers.get(worker.id);
  assert.equal(found.status, "online");
});

Deno.test("a worker that waits for its server ends its wait when it is told to", async () => {
  await using scene = await workerScene();
  const stop = new AbortController();
  const starting = scene.start({
    apiUrl: "http://127.0.0.1:1",
    signal: stop.signal,
  });
  stop.abort(new Error("enough"));
  await assert.rejects(starting, /enough/);
});

Deno.test("a worker for a pool that does not exist is refused at once", async () => {
  await using scene = await workerScene();
  await scene.grid.request("/v1/workerpool/pools/fakes", { method: "DELETE" });
  await assert.rejects(scene.start(), /Cannot find work pool "fakes"/);
});

Deno.test("a worker that is disposed ends its browsers and says so", async () => {
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

Deno.test("a drained worker claims nothing more and is done when its last session ends", async () => {
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

Deno.test("a worker that comes back adopts what runs, reports the missing and ends the rest", async () => {
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
  const stray = crypto.randomUUID();
  const adopted = createFakeBrowser(browserSpec(), alive);
  scene.provider.knobs.leftovers = [
    adopted,
    createFakeBrowser(browserSpec(), stray),
  ];
  await using again = await scene.start({ name: "back" });
  assert.equal(again.id, id);
  await awaitStatus(grid, missing, "crashed");
  assert.equal((await grid.sessions.get(alive)).status, "running");
  assert.deepEqual(scene.provider.swept, [stray]);
  adopted.die("gone at last");
  await awaitStatus(grid, alive, "crashed");
});

Deno.test("a worker whose host is away gives back what it could not start, is failed, and serves it when the host is back", async () => {
  await using scene = await workerScene();
  const { knobs } = scene.provider;
  await using worker = await scene.start();
  knobs.down = "the engine is away";
  knobs.startError = "no engine";
  const id = await scene.ask();
  const requeued =
    (await nextEvent(scene.grid, id, "session_requeued")).subject;
  assert.equal(requeued, id);
  const found = () => scene.grid.workers.get(worker.id);
  while ((await found()).status !== "failed") await heartbeatOf(scene.grid);
  knobs.down = undefined;
  knobs.startError = undefined;
  await awaitStatus(scene.grid, id, "running");
  while ((await found()).status !== "online") await heartbeatOf(scene.grid);
});

Deno.test("a second process of a worker on one host is refused while the first runs, and may start after it", async () => {
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

Deno.test("a worker whose state runs elsewhere too ends when the newer process has registered", async () => {
  await using scene = await workerScene();
  const state = { name: "one", secret: "a-secret-of-16-letters" };
  const first = await scene.start({ state: inMemory(state) });
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "running");
  await using _second = await scene.start({ state: inMemory(state) });
  // The newer one has no such browser.
  await awaitStatus(scene.grid, id, "crashed");
  assert.equal(await first.done, "replaced");
  await first.kill();
  assert.equal(scene.provider.running.size, 0);
  await first[Symbol.asyncDispose]();
});

Deno.test("a worker that leaves is offline at once, and what it was starting waits again", async () => {
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

Deno.test("a worker that is drained by the server leaves when its time is over, and ends what it holds", async () => {
  await using scene = await workerScene({ settings: { heartbeat_seconds: 1 } });
  await using worker = await scene.start();
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "running");
  await scene.grid.workers.drain(worker.id, 0);
  assert.equal(await worker.done, "drained");
  await awaitStatus(scene.grid, id, "terminated");
});

Deno.test("a drain that is taken back lets a worker claim again", async () => {
  await using scene = await workerScene();
  await using worker = await scene.start();
  const first = await scene.ask();
  await awaitStatus(scene.grid, first, "running");
  await scene.grid.workers.drain(worker.id);
  const second = await scene.ask();
  await scene.grid.workers.resume(worker.id);
  await awaitStatus(scene.grid, second, "running");
});

Deno.test("a start that does not hear its signal is left behind: the session fails in time, its slot is free, its browser ends", async () => {
  await using scene = await workerScene({
    settings: { start_timeout_seconds: 1 },
  });
  await using worker = await scene.start({ capacity: 1 });
  const hold = Promise.withResolvers<void>();
  Object.assign(scene.provider.knobs, { hold: hold.promise, deaf: true });
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "failed", 30_000);
  Object.assign(scene.provider.knobs, { hold: undefined });
  const next = await scene.ask();
  await awaitStatus(scene.grid, next, "running");
  hold.resolve();
  while (scene.provider.running.has(id)) await systemClock.sleep(5);
  assert.equal(worker.sessionsHeld, 1);
});

Deno.test("what takes long to prepare is no slow start", async () => {
  await using scene = await workerScene({
    settings: { start_timeout_seconds: 1 },
  });
  await using _worker = await scene.start();
  const hold = Promise.withResolvers<void>();
  scene.provider.knobs.prepareHold = hold.promise;
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "starting");
  await systemClock.sleep(1_200);
  assert.equal((await scene.grid.sessions.get(id)).status, "starting");
  hold.resolve();
  await awaitStatus(scene.grid, id, "running");
});

Deno.test("a worker whose row was deleted registers anew under its id, and serves", async () => {
  await using scene = await workerScene({
    settings: { heartbeat_seconds: 1 },
  });
  await using worker = await scene.start();
  await scene.grid.workers.remove(worker.id);
  const id = await scene.ask();
  const { workerId } = await awaitStatus(scene.grid, id, "running");
  assert.equal(workerId, worker.id);
});

Deno.test("a report that is refused costs no other session its lease", async () => {
  await using scene = await workerScene({
    settings: { heartbeat_seconds: 1, lease_seconds: 4 },
  });
  await using _worker = await scene.start();
  scene.provider.knobs.stats = { memoryMb: -1 };
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "running");
  await systemClock.sleep(6_000);
  assert.equal((await scene.grid.sessions.get(id)).status, "running");
});

/** A state of its own, on no disk. */
function inMemory(first: WorkerState): StateStore {
  let state = first;
  return {
    read: () => Promise.resolve(state),
    write(next) {
      state = next;
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function nextEvent(
  { core, sessions }: TestGrid,
  id: string,
  name: string,
): Promise<BusEvent> {
  const waiting = core.bus.next(
    ({ subject, type }) => subject === id && type === name,
    AbortSignal.timeout(15_000),
  );
  const had = await sessions.events(id, 0, 100);
  if (had.some(({ event }) => event === name)) {
    return { type: name, subject: id };
  }
  return await waiting ?? assert.fail(`There is no event ${name}`);
}

/** Resolves after the next round trip to the database: a heartbeat's, where nothing else goes on. */
async function heartbeatOf({ core }: TestGrid): Promise<void> {
  const before = core.db.trips();
  while (core.db.trips() <= before + 1) await systemClock.sleep(10);
}
