import assert from "node:assert/strict";
import { MachineStartError } from "../../../src/core/provider/machines.ts";
import { setScene } from "./scene.ts";

const HOURS_MS = 3 * 3_600_000;

for (const backMs of [HOURS_MS, 20 * 60_000]) {
  Deno.test(`after the clock was set back by ${backMs / 60_000} minutes, the pause after a failure has ended, and the next one lasts as usual`, async () => {
    await using scene = await setScene({ pool: { min_workers: 1 } });
    const { clock, fake, pass } = scene;
    clock.advance(HOURS_MS);
    fake.knobs.startError = new MachineStartError("quota reached", 300_000);
    await pass();
    await pass();
    assert.equal(fake.starts.length, 1);
    clock.setBack(backMs);
    await pass();
    assert.equal(fake.starts.length, 2);
    clock.advance(299_000);
    await pass();
    assert.equal(fake.starts.length, 2);
    clock.advance(1_000);
    await pass();
    assert.equal(fake.starts.length, 3);
  });
}

Deno.test("after the clock was set back, a surplus must last as long as usual, and machines that end are removed", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { api, clock, fake } = scene;
  clock.advance(HOURS_MS);
  await scene.pass();
  await scene.registerAll();
  await api.call("PATCH", "/workerpool/pools/pool", { min_workers: 0 });
  await scene.advance(10_000);
  clock.setBack(HOURS_MS);
  await scene.advance(290_000);
  assert.deepEqual(await scene.statuses(), ["running"]);
  await scene.advance(20_000);
  assert.deepEqual(await scene.statuses(), ["draining"]);
  // The machine is removed while the clock is set back again.
  for (const id of fake.machines.keys()) await scene.leave(id);
  await scene.pass();
  clock.setBack(HOURS_MS);
  await scene.advance(30_000);
  assert.deepEqual(await scene.statuses(), []);
  assert.equal(fake.machines.size, 0);
});

Deno.test("after the clock was set back, a removal that the infrastructure has not carried out is repeated", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { api, clock, fake } = scene;
  clock.advance(HOURS_MS);
  await scene.pass();
  await scene.registerAll();
  const [id = ""] = fake.machines.keys();
  await api.call("PATCH", "/workerpool/pools/pool", { min_workers: 0 });
  fake.machines.set(id, { workerId: id, status: "ended" });
  await scene.advance(10_000);
  assert.deepEqual(fake.removals, [id]);
  // The removal was accepted, but the machine is there.
  fake.machines.set(id, { workerId: id, status: "ended" });
  clock.setBack(HOURS_MS);
  await scene.advance(10_000);
  assert.deepEqual(fake.removals, [id, id]);
  await scene.advance(10_000);
  assert.deepEqual(await scene.statuses(), []);
});
