import assert from "node:assert/strict";
import { MachineStartError } from "../../../src/core/provider/machines.ts";
import { setScene } from "./scene.ts";

Deno.test("a queue has as many machines as it needs at once, and they are removed after a lasting surplus, once their workers have left", async () => {
  await using scene = await setScene();
  const { api, fake, pass } = scene;
  await pass();
  assert.equal(fake.starts.length, 0);
  const sessions = [];
  for (let n = 0; n < 9; n++) sessions.push(await api.session());
  await pass();
  assert.equal(fake.starts.length, 3);
  assert.deepEqual(fake.starts[0], {
    workerId: fake.starts[0]?.workerId,
    serverUrl: "https://grid.example",
    apiKey: undefined,
    capacity: 4,
  });
  assert.deepEqual(await scene.statuses(), [
    "starting",
    "starting",
    "starting",
  ]);
  await scene.registerAll();
  assert.deepEqual(await scene.statuses(), ["running", "running", "running"]);
  const { wanted_workers, machines } = await scene.pressure();
  assert.equal(wanted_workers, 3);
  assert.equal(machines.running, 3);

  for (const { id } of sessions) {
    await api.call("DELETE", `/sessions/${id}`);
  }
  await pass();
  await scene.advance(290_000);
  assert.deepEqual(await scene.statuses(), ["running", "running", "running"]);
  await scene.advance(20_000);
  assert.deepEqual(await scene.statuses(), [
    "draining",
    "draining",
    "draining",
  ]);
  assert.deepEqual(fake.removals, []);
  const { body } = await api.call("GET", "/workerpool/workers");
  for (const { id, status } of body.items) {
    assert.equal(status, "draining");
    await scene.leave(id);
  }
  await scene.advance(20_000);
  assert.deepEqual(await scene.statuses(), []);
  assert.equal(fake.machines.size, 0);
  const { body: after } = await api.call("GET", "/workerpool/workers");
  assert.deepEqual(after.items, []);
  const requested = Array(3).fill("requested");
  const removed = Array(3).fill("removed: its worker left");
  assert.deepEqual(await scene.events(), [...requested, ...removed]);
});

Deno.test("a drained worker with sessions keeps them, and takes sessions again when the demand returns", async () => {
  await using scene = await setScene({ pool: { min_workers: 2 } });
  const { api, pass } = scene;
  await pass();
  await scene.registerAll();
  const [older, younger] = [...scene.fake.machines.keys()];
  assert.ok(older && younger);
  for (const id of [older, younger]) {
    await api.session();
    assert.ok(await api.claim(id));
  }
  await api.call("PATCH", "/workerpool/pools/pool", { min_workers: 0 });
  // Their heartbeats report no session, so that their leases are kept by the test's clock only.
  scene.clock.advance(1_000);
  await pass();
  scene.clock.advance(300_000);
  await pass();
  assert.deepEqual(await scene.statuses(), ["running", "draining"]);
  const worker = await api.call("GET", `/workerpool/workers/${younger}`);
  assert.equal(worker.body.status, "draining");
  for (let n = 0; n < 4; n++) await api.session();
  await pass();
  assert.deepEqual(await scene.statuses(), ["running", "running"]);
  const again = await api.call("GET", `/workerpool/workers/${younger}`);
  assert.equal(again.body.status, "online");
  assert.equal(scene.fake.starts.length, 2);
});

Deno.test("a start that fails is repeated with the same worker id after the pause that the infrastructure requests, and recorded once", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { clock, fake, pass } = scene;
  const { knobs } = fake;
  knobs.startError = new MachineStartError("quota reached", 60_000);
  await pass();
  assert.equal(fake.starts.length, 1);
  clock.advance(59_000);
  await pass();
  assert.equal(fake.starts.length, 1);
  clock.advance(1_000);
  await pass();
  assert.equal(fake.starts.length, 2);
  const { machines } = await scene.pressure();
  assert.equal(machines.requested, 1);
  assert.equal(machines.last_failure.reason, "quota reached");
  knobs.startError = undefined;
  clock.advance(60_000);
  await pass();
  assert.equal(new Set(fake.starts.map(({ workerId }) => workerId)).size, 1);
  assert.deepEqual(await scene.statuses(), ["starting"]);
  assert.deepEqual(await scene.events(), [
    "requested",
    "failed: quota reached",
  ]);
});

Deno.test("pauses after failures double, and end with a worker that registers", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { clock, fake, pass } = scene;
  fake.knobs.startError = new Error("no capacity");
  const pauses: number[] = [];
  await pass();
  let last = 0;
  for (let at = 0; pauses.length < 4; at++) {
    const { length } = fake.starts;
    clock.advance(1_000);
    await pass();
    if (fake.starts.length === length) continue;
    pauses.push(at - last + (last === 0 ? 1 : 0));
    last = at;
  }
  assert.deepEqual(pauses, [5, 10, 20, 40]);
});

Deno.test("a lost response of a start leads to no second machine, and no failure remains once the worker registers", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { fake, pass } = scene;
  fake.knobs.losesResponse = true;
  await pass();
  assert.deepEqual(await scene.statuses(), ["requested"]);
  await scene.registerAll();
  assert.deepEqual(await scene.statuses(), ["running"]);
  scene.clock.advance(10_000);
  await pass();
  assert.equal(fake.starts.length, 1);
});

Deno.test("a machine whose worker does not register in time, or that ends before, is replaced after a pause", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { fake, pass } = scene;
  fake.knobs.output = "exec format error";
  await pass();
  const [first = ""] = fake.machines.keys();
  fake.machines.set(first, {
    workerId: first,
    status: "starting",
    detail: "image pull failed",
  });
  await scene.advance(130_000);
  assert.ok(fake.removals.includes(first));
  await scene.advance(10_000);
  const [second = ""] = fake.machines.keys();
  assert.notEqual(second, first);
  fake.machines.set(second, {
    workerId: second,
    status: "ended",
    detail: "exit code 1",
  });
  await scene.advance(30_000);
  assert.ok(!fake.machines.has(second));
  const reasons = (await scene.events())
    .filter((event) => event.startsWith("failed"));
  assert.deepEqual(reasons, [
    "failed: The worker did not register within 120 s: image pull failed",
    "failed: The machine ended before its worker registered: exit code 1",
  ]);
});

Deno.test("a machine that ends is replaced at once, and the session that started on it waits for the next one", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { api, fake, grid, pass } = scene;
  const { id } = await api.session();
  await pass();
  await scene.registerAll();
  const [worker = ""] = fake.machines.keys();
  const claimed = await api.claim(worker);
  assert.equal(claimed?.id, id);
  fake.machines.set(worker, {
    workerId: worker,
    status: "ended",
    detail: "node lost",
  });
  await scene.advance(10_000);
  assert.equal(fake.starts.length, 2);
  await scene.advance(40_000);
  await grid.sessions.deadlines.expireLeases();
  await scene.registerAll();
  const [other = ""] = fake.machines.keys();
  assert.equal((await api.claim(other))?.id, id);
  assert.ok((await scene.events()).includes("removed: it ended: node lost"));
  await scene.advance(10_000);
  assert.deepEqual(await scene.statuses(), ["running"]);
});

Deno.test("machines that no row knows are removed, and those of lists that lag are not replaced", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { fake, pass } = scene;
  await pass();
  await scene.registerAll();
  const [known = ""] = fake.machines.keys();
  fake.knobs.unlisted.add(known);
  const orphan = crypto.randomUUID();
  fake.machines.set(orphan, { workerId: orphan, status: "running" });
  await scene.advance(70_000);
  assert.deepEqual(fake.removals, [orphan]);
  assert.deepEqual([...fake.machines.keys()], [known]);
  assert.deepEqual(await scene.statuses(), ["running"]);
});

Deno.test("a paused pool drains its workers and starts none, and a machine that was only requested is withdrawn", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { api, fake, pass } = scene;
  await pass();
  await scene.registerAll();
  fake.knobs.startError = new Error("no capacity");
  for (let n = 0; n < 5; n++) await api.session();
  await pass();
  assert.deepEqual(await scene.statuses(), ["running", "requested"]);
  await api.call("POST", "/workerpool/pools/pool/pause");
  await pass();
  await scene.advance(10_000);
  assert.deepEqual(await scene.statuses(), ["running"]);
  await scene.advance(310_000);
  assert.deepEqual(await scene.statuses(), ["draining"]);
});

Deno.test("a worker that cannot use its provider is no room: others start beside one without a machine or with sessions", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { api, fake, pass } = scene;
  const beat = (id: string, status: string) =>
    api.call("PUT", `/workerpool/workers/${id}/heartbeat`, {
      sessions: [],
      status,
    });
  const self = await api.worker({ capacity: 4 });
  await pass();
  assert.equal(fake.starts.length, 0);
  await beat(self, "failed");
  await pass();
  assert.equal(fake.starts.length, 1);
  await scene.registerAll();
  const [id = ""] = fake.machines.keys();
  await beat(id, "failed");
  await pass();
  assert.equal(fake.starts.length, 1);
  await beat(id, "online");
  await api.session();
  assert.ok(await api.claim(id));
  await beat(id, "failed");
  await pass();
  assert.equal(fake.starts.length, 2);
});

Deno.test("a server that only its own host reaches starts no machines elsewhere, and says so once", async () => {
  await using scene = await setScene({
    pool: { min_workers: 1 },
    settings: { public_url: "http://127.0.0.1:8765" },
  });
  const { fake, pass } = scene;
  fake.knobs.isOnServerHost = false;
  await pass();
  await scene.advance(600_000);
  assert.equal(fake.starts.length, 0);
  const events = await scene.events();
  assert.equal(events.length, 1);
  assert.match(events[0] ?? "", /^failed: .*127\.0\.0\.1:8765.*public_url/);
  fake.knobs.isOnServerHost = true;
  // The configuration is read again once the pool changes.
  await scene.api.call("PATCH", "/workerpool/pools/pool", { priority: 1 });
  await scene.advance(300_000);
  assert.equal(fake.starts.length, 1);
});
