import assert from "node:assert/strict";
import { machines, scaledPools } from "../../../src/apps/scaling/models.ts";
import { MachineStore } from "../../../src/apps/scaling/store/machines.ts";
import { setScene } from "./scene.ts";

const NEW = { workerId: crypto.randomUUID(), keyId: null, key: null };

Deno.test("a decision of an earlier pass, or of a server without the lease, takes no effect", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  await scene.pass();
  await scene.registerAll();
  const { orm } = scene.grid.core.db;
  const store = new MachineStore(scene.grid.core.db);
  const [pool] = await orm.select().from(scaledPools);
  const [machine] = await orm.select().from(machines);
  assert.ok(pool?.leaseOwner && machine);
  const { poolId, leaseOwner: server, pass } = pool;
  const { workerId } = machine;
  const now = scene.clock.now();
  const stale = [
    { poolId, server, pass: pass - 1 },
    { poolId, server: crypto.randomUUID(), pass },
  ];
  const before = await scene.events();
  for (const lease of stale) {
    assert.deepEqual(await store.request(lease, [NEW], { max: 9, now }), []);
    assert.deepEqual(await store.drain(lease, [workerId], now), []);
    const removal = { workerId, reason: "test", now };
    assert.ok(!await store.remove(lease, removal));
    await store.saveSurplus(lease, { since: now, least: 1 });
  }
  assert.deepEqual(await orm.select().from(machines), [machine]);
  assert.deepEqual(await orm.select().from(scaledPools), [pool]);
  assert.deepEqual(await scene.events(), before);
});

Deno.test("the request of a machine is rejected beyond the maximum, and once the pool is not active", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  await scene.pass();
  const { orm } = scene.grid.core.db;
  const store = new MachineStore(scene.grid.core.db);
  const [pool] = await orm.select().from(scaledPools);
  assert.ok(pool?.leaseOwner);
  const lease = {
    poolId: pool.poolId,
    server: pool.leaseOwner,
    pass: pool.pass,
  };
  const now = scene.clock.now();
  const more = Array.from({ length: 5 }, () => ({
    ...NEW,
    workerId: crypto.randomUUID(),
  }));
  const inserted = await store.request(lease, more, { max: 3, now });
  assert.equal(inserted.length, 2);
  await scene.api.call("POST", "/workerpool/pools/pool/pause");
  assert.deepEqual(await store.request(lease, [NEW], { max: 9, now }), []);
});

Deno.test("a machine that was only requested is kept once its worker has registered", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  await scene.pass();
  const { orm } = scene.grid.core.db;
  const store = new MachineStore(scene.grid.core.db);
  const [pool] = await orm.select().from(scaledPools);
  const [machine] = await orm.select().from(machines);
  assert.ok(pool?.leaseOwner && machine);
  const { workerId, poolId } = machine;
  const lease = { poolId, server: pool.leaseOwner, pass: pool.pass };
  await scene.register(workerId);
  const removal = {
    workerId,
    reason: "it is not needed any more",
    now: scene.clock.now(),
    isUnregistered: true,
  };
  assert.ok(!await store.remove(lease, removal));
  assert.deepEqual(await orm.select().from(machines), [machine]);
});
