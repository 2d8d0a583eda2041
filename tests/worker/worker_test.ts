import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";
import type { BusEvent } from "../../src/core/bus.ts";
import { awaitStatus } from "../support/await_status.ts";
import type { TestGrid } from "../support/grid.ts";
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

Deno.test("a worker passes the requested properties of a session to the provider", async () => {
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

Deno.test("a start that exceeds its timeout fails, and its browser is not kept", async () => {
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

Deno.test("a browser that dies makes its session crashed, with the cause as its reason", async () => {
  await using scene = await workerScene();
  await using _worker = await scene.start();
  const id = await scene.ask();
  await awaitStatus(scene.grid, id, "running");
  scene.provider.running.get(id)?.die("exit code 139");
  const { statusReason } = await awaitStatus(scene.grid, id, "crashed");
  assert.equal(statusReason, "exit code 139");
});

Deno.test("a session that is deleted during its start never runs", async () => {
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

Deno.test("a worker whose host does not respond releases the session, is failed, and runs it when the host responds again", async () => {
  await using scene = await workerScene();
  const { knobs } = scene.provider;
  await using worker = await scene.start();
  knobs.down = "the engine is down";
  knobs.startError = "no engine";
  const id = await scene.ask();
  const requeued =
    (await nextEvent(scene.grid, id, "session_requeued")).subject;
  assert.equal(requeued, id);
  const found = () => scene.grid.workers.get(worker.id);
  while ((await found()).status !== "failed") await awaitHeartbeat(scene.grid);
  knobs.down = undefined;
  knobs.startError = undefined;
  await awaitStatus(scene.grid, id, "running");
  while ((await found()).status !== "online") await awaitHeartbeat(scene.grid);
});

Deno.test("a start that does not react to its signal is abandoned: the session fails in time, there is room again, the late browser is ended", async () => {
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

Deno.test("a slow preparation does not count towards the start timeout", async () => {
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

Deno.test("a rejected report costs no session its lease", async () => {
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

/** Resolves with the named event of a session, also if it was recorded before. */
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

/** Resolves after the next round trip to the database, which is a heartbeat's if nothing else uses the database. */
async function awaitHeartbeat({ core }: TestGrid): Promise<void> {
  const before = core.db.trips();
  while (core.db.trips() <= before + 1) await systemClock.sleep(10);
}
