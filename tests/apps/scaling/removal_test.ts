import assert from "node:assert/strict";
import { machines, scaledPools } from "../../../src/apps/scaling/models.ts";
import { MachineStore } from "../../../src/apps/scaling/store/machines.ts";
import { type ScalingScene, setScene } from "./scene.ts";

/** Sets a scene with one machine whose worker has registered, and the store of its pool's server. */
async function setMachine(stack: AsyncDisposableStack) {
  const scene = stack.use(await setScene({ pool: { min_workers: 1 } }));
  await scene.pass();
  await scene.registerAll();
  const { orm } = scene.grid.core.db;
  const [machine] = await orm.select().from(machines);
  const [pool] = await orm.select().from(scaledPools);
  assert.ok(machine && pool?.leaseOwner);
  const { poolId, pass, leaseOwner: server } = pool;
  const store = new MachineStore(scene.grid.core.db);
  const remove = (options: { readonly isOver?: boolean } = {}) =>
    store.remove({ poolId, pass, server }, {
      workerId: machine.workerId,
      reason: "test",
      now: scene.clock.now(),
      ...options,
    });
  return { scene, remove, id: machine.workerId };
}

async function beat({ api }: ScalingScene, id: string): Promise<string> {
  const { body } = await api.call(
    "PUT",
    `/workerpool/workers/${id}/heartbeat`,
    { sessions: [] },
  );
  return body.status;
}

Deno.test("a worker that returns while the removal of its machine fails receives no session and leaves", async () => {
  await using stack = new AsyncDisposableStack();
  const { scene, id } = await setMachine(stack);
  const { api, clock, fake, grid } = scene;
  // The server has no network: it receives no heartbeats, and no removal succeeds.
  fake.knobs.removeError = new Error("no network");
  for (let seconds = 0; seconds < 120; seconds += 10) {
    clock.advance(10_000);
    await grid.workers.markLost();
    await scene.pass();
  }
  assert.ok((await scene.statuses()).includes("removing"));
  assert.equal(await beat(scene, id), "draining");
  await api.session();
  assert.equal(await api.claim(id), undefined);
  fake.knobs.removeError = undefined;
  clock.advance(60_000);
  await scene.pass();
  assert.ok(!fake.machines.has(id));
});

Deno.test("a worker whose machine is being removed receives no session, even if its drain is withdrawn or its process is new", async () => {
  await using stack = new AsyncDisposableStack();
  const { scene, remove, id } = await setMachine(stack);
  const { api } = scene;
  await api.session();
  assert.ok(await remove());
  assert.equal(await api.claim(id), undefined);
  await api.call("POST", `/workerpool/workers/${id}/resume`);
  assert.equal(await beat(scene, id), "online");
  assert.equal(await api.claim(id), undefined);
  await scene.pass();
  const { body } = await api.call("GET", "/workerpool/workers");
  assert.ok(
    !body.items.some((each: { id: string; status: string }) =>
      each.id === id && each.status === "online"
    ),
  );
});

Deno.test("a machine whose worker has claimed a session since the pass began is kept", async () => {
  await using stack = new AsyncDisposableStack();
  const { scene, remove, id } = await setMachine(stack);
  await scene.api.session();
  assert.ok(await scene.api.claim(id));
  const before = await scene.events();
  assert.ok(!await remove());
  assert.deepEqual(await scene.statuses(), ["running"]);
  assert.deepEqual(await scene.events(), before);
  // The sessions of a machine that has ended are lost.
  assert.ok(await remove({ isOver: true }));
});

Deno.test("a machine in removal whose worker holds a session is removed only once that has ended", async () => {
  await using stack = new AsyncDisposableStack();
  const { scene, remove, id } = await setMachine(stack);
  const { api, fake, pass } = scene;
  await api.session();
  const claimed = await api.claim(id);
  assert.ok(claimed);
  // As the version before left it.
  assert.ok(await remove({ isOver: true }));
  await pass();
  scene.clock.advance(10_000);
  await pass();
  assert.deepEqual(fake.removals, []);
  await api.report(id, claimed, "failed", {
    status_reason: "test",
  });
  await pass();
  assert.deepEqual(fake.removals, [id]);
});

Deno.test("a machine that no record knows is removed once the sessions of its worker have ended", async () => {
  await using stack = new AsyncDisposableStack();
  const { scene, id } = await setMachine(stack);
  const { api, fake, grid } = scene;
  await api.session();
  const claimed = await api.claim(id);
  assert.ok(claimed);
  // As after a restore of a backup.
  await grid.core.db.orm.delete(machines);
  scene.clock.advance(10_000);
  await scene.pass();
  await scene.pass();
  assert.deepEqual(fake.removals, []);
  await api.session();
  assert.equal(await api.claim(id), undefined);
  await api.report(id, claimed, "failed", { status_reason: "test" });
  await scene.pass();
  assert.deepEqual(fake.removals, [id]);
  scene.clock.advance(4_000);
  await scene.pass();
  assert.ok(!fake.machines.has(id));
});
