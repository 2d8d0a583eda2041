import assert from "node:assert/strict";
import { machines, scaledPools } from "../../../src/apps/scaling/models.ts";
import { BOOTSTRAP_KEY } from "../../support/keys.ts";
import { createScaler, type ScalingScene, setScene } from "./scene.ts";

const KEYED = {
  settings: { api_key: BOOTSTRAP_KEY },
  headers: { "x-api-key": BOOTSTRAP_KEY },
};

async function listKeys({ api }: ScalingScene) {
  const { body } = await api.call("GET", "/keys");
  return body.items;
}

async function countRows({ grid }: ScalingScene): Promise<number> {
  const { orm } = grid.core.db;
  const rows = [
    ...await orm.select().from(machines),
    ...await orm.select().from(scaledPools),
  ];
  return rows.length;
}

Deno.test("each machine has a key of its own for its pool, which a repeated start repeats, and which is deleted with it", async () => {
  await using scene = await setScene({ ...KEYED, pool: { min_workers: 2 } });
  const { api, fake, pass, clock } = scene;
  fake.knobs.losesResponse = true;
  await pass();
  clock.advance(10_000);
  await pass();
  const keys = new Map(fake.starts.map((each) => [each.workerId, each.apiKey]));
  assert.equal(fake.starts.length, 4);
  assert.equal(new Set(fake.starts.map(({ apiKey }) => apiKey)).size, 2);
  const listed = await listKeys(scene);
  const { body: pool } = await api.call("GET", "/workerpool/pools/pool");
  assert.equal(listed.length, 2);
  for (const key of listed) {
    assert.deepEqual([key.role, key.work_pool_id], ["worker", pool.id]);
  }
  const [[workerId, key = ""] = [""]] = keys;
  const registration = (id: string, workPool: string) =>
    scene.grid.request("/v1/workerpool/workers", {
      method: "POST",
      headers: { "x-api-key": key },
      json: { id, work_pool_id: workPool },
    });
  await api.pool({ name: "other", provider_type: "local" });
  for (const [name, status] of [["other", 403], ["pool", 201]] as const) {
    const response = await registration(workerId, name);
    assert.equal(response.status, status, await response.text());
  }
  await scene.registerAll().catch(() => {});
  const rows = await scene.grid.core.db.orm.select().from(machines);
  for (const row of rows) {
    assert.ok(!JSON.stringify(row).includes(keys.get(row.workerId) ?? "-"));
  }
  await api.call("PATCH", "/workerpool/pools/pool", { min_workers: 0 });
  for (const id of keys.keys()) {
    fake.machines.set(id, { workerId: id, status: "ended" });
  }
  await scene.advance(20_000);
  assert.deepEqual(await listKeys(scene), []);
  assert.equal((await registration(workerId, "pool")).status, 401);
});

Deno.test("a server that stalls before it provides a key starts no machine and leaves no key once another has withdrawn it", async () => {
  await using scene = await setScene({ ...KEYED, pool: { min_workers: 1 } });
  const { api, clock, fake, grid } = scene;
  const stall = Promise.withResolvers<void>();
  const keys = grid.keys();
  const provide = keys.provide.bind(keys);
  keys.provide = async (...args) => {
    await stall.promise;
    return await provide(...args);
  };
  await using first = createScaler(grid, keys);
  await first.runOnce();
  await api.call("PATCH", "/workerpool/pools/pool", { min_workers: 0 });
  // The lease is 30 s.
  clock.advance(31_000);
  await scene.pass();
  for (let round = 0; round < 4; round++) {
    await scene.pass();
    clock.advance(4_000);
  }
  assert.deepEqual(await scene.statuses(), []);
  stall.resolve();
  await first.settle();
  assert.deepEqual(await listKeys(scene), []);
  assert.equal(fake.starts.length, 0);
});

Deno.test("machines of a server without authentication have no key", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  await scene.pass();
  assert.equal(scene.fake.starts[0]?.apiKey, undefined);
  assert.deepEqual(await listKeys(scene), []);
});

Deno.test("the machines of a deleted pool are removed, by a server that starts later too, and nothing is left", async () => {
  await using scene = await setScene({ ...KEYED, pool: { min_workers: 2 } });
  const { api, fake, grid, scaler, pass } = scene;
  await pass();
  const [registered = ""] = fake.machines.keys();
  await scene.register(registered);
  await pass();
  await scaler[Symbol.asyncDispose]();
  assert.equal(fake.openCount(), 0);
  await api.call("DELETE", "/workerpool/pools/pool?force=true");
  assert.equal(fake.machines.size, 2);
  await using later = createScaler(grid);
  for (let round = 0; round < 6; round++) {
    await later.runOnce();
    await later.settle();
    scene.clock.advance(5_000);
  }
  assert.equal(fake.machines.size, 0);
  assert.equal(await countRows(scene), 0);
  assert.deepEqual(await listKeys(scene), []);
  const removed = (await scene.events()).filter((each) =>
    each === "removed: its work pool was deleted"
  );
  assert.equal(removed.length, 2);
});

Deno.test("a pool that starts its workers otherwise now drains its machines, and nothing of them is left", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { api, fake } = scene;
  await scene.pass();
  await scene.registerAll();
  await api.call("PATCH", "/workerpool/pools/pool", {
    provider_config: { unit: "session" },
  });
  await scene.advance(10_000);
  assert.deepEqual(await scene.statuses(), ["draining"]);
  for (const id of fake.machines.keys()) await scene.leave(id);
  await scene.advance(40_000);
  assert.equal(fake.machines.size, 0);
  assert.equal(await countRows(scene), 0);
  assert.equal((await scene.pressure()).machines, null);
});

Deno.test("two servers on one database start no machine twice, and the second acts once the lease of the first has ended", async () => {
  await using scene = await setScene();
  const { api, clock, fake, grid, scaler } = scene;
  await using second = createScaler(grid);
  for (let n = 0; n < 10; n++) await api.session();
  await scaler.runOnce();
  for (let round = 0; round < 5; round++) {
    await Promise.all([scaler.runOnce(), second.runOnce()]);
    await Promise.all([scaler.settle(), second.settle()]);
  }
  assert.equal(fake.starts.length, 3);
  for (let n = 0; n < 4; n++) await api.session();
  // The lease is 30 s.
  for (let round = 0; round < 6; round++) {
    await second.runOnce();
    await second.settle();
    assert.equal(fake.starts.length, 3);
    clock.advance(4_900);
  }
  clock.advance(1_000);
  await second.runOnce();
  await second.runOnce();
  await second.settle();
  assert.equal(fake.starts.length, 4);
  assert.equal(fake.machines.size, 4);
});

Deno.test("a server that takes over repeats a start that was not answered, and a late decision of the first takes no effect", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { clock, fake, grid, scaler } = scene;
  const hold = Promise.withResolvers<void>();
  fake.knobs.hold = hold.promise;
  const first = fake.nextStart();
  await scaler.runOnce();
  await scaler.runOnce();
  await first;
  assert.deepEqual(await scene.statuses(), ["requested"]);
  await using second = createScaler(grid);
  clock.advance(31_000);
  fake.knobs.hold = undefined;
  await second.runOnce();
  await second.settle();
  assert.deepEqual(await scene.statuses(), ["starting"]);
  hold.resolve();
  await scaler.settle();
  await scene.pass();
  assert.equal(new Set(fake.starts.map(({ workerId }) => workerId)).size, 1);
  assert.equal(fake.machines.size, 1);
  assert.deepEqual(await scene.statuses(), ["starting"]);
});

Deno.test("an infrastructure that does not answer delays no other pool, and is given up after a minute", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { api, clock, fake, scaler } = scene;
  fake.knobs.hold = new Promise(() => {});
  const first = fake.nextStart();
  await scaler.runOnce();
  await scaler.runOnce();
  await first;
  fake.knobs.hold = undefined;
  await api.pool({ name: "b", provider_type: "machines", min_workers: 1 });
  const second = fake.nextStart();
  await scaler.runOnce();
  await scaler.runOnce();
  await second;
  assert.equal(fake.starts.length, 2);
  clock.advance(61_000);
  await scaler.settle();
  const { machines: { last_failure } } = await scene.pressure();
  assert.match(last_failure.reason, /Timed out after 60 s/);
});

Deno.test("a removal that fails is repeated less and less often, until it succeeds", async () => {
  await using scene = await setScene();
  const { fake, clock, scaler } = scene;
  fake.machines.set("orphan", { workerId: "orphan", status: "running" });
  fake.knobs.removeError = new Error("too many requests");
  const pauses: number[] = [];
  let seconds = 0;
  while (pauses.length < 5) {
    const { length } = fake.removals;
    await scaler.runOnce();
    await scaler.settle();
    clock.advance(1_000);
    seconds++;
    if (fake.removals.length === length) continue;
    pauses.push(seconds);
    seconds = 0;
  }
  // The first one waits for the list. The same call runs again at each pass after its pause.
  assert.deepEqual(pauses.slice(1), [2, 4, 8, 16]);
  fake.knobs.removeError = undefined;
  await scene.advance(60_000);
  assert.equal(fake.machines.size, 0);
});

Deno.test("secrets of a pool's configuration are encrypted in the copy, and connections are opened again when it changes", async () => {
  await using scene = await setScene({
    pool: { min_workers: 1, provider_config: { token: "planted-token" } },
  });
  const { api, fake, grid, pass } = scene;
  await pass();
  const [row] = await grid.core.db.orm.select().from(scaledPools);
  assert.ok(row && !JSON.stringify(row).includes("planted"));
  assert.equal(fake.opened.length, 1);
  await api.call("PATCH", "/workerpool/pools/pool", {
    provider_config: { token: "another-token" },
  });
  await scene.advance(10_000);
  assert.deepEqual([fake.opened.length, fake.openCount()], [2, 1]);
});

Deno.test("clients see no reasons of failures in the load of a pool", async () => {
  await using scene = await setScene({ ...KEYED, pool: { min_workers: 1 } });
  scene.fake.knobs.startError = new Error("subscription 17 is disabled");
  await scene.pass();
  const { key } = await scene.grid.keys().create({ name: "c", role: "client" });
  const response = await scene.grid.request(
    "/v1/workerpool/pools/pool/pressure",
    { headers: { "x-api-key": key } },
  );
  const { machines, wanted_workers } = await response.json();
  assert.equal(wanted_workers, 1);
  assert.deepEqual([machines.requested, machines.last_failure], [1, null]);
});
