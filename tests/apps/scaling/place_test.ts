import assert from "node:assert/strict";
import { scaledPools } from "../../../src/apps/scaling/models.ts";
import { logRecords } from "../../support/log_records.ts";
import { type ScalingScene, setScene } from "./scene.ts";

async function moveTo(
  { api }: ScalingScene,
  place: string,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { status } = await api.call("PATCH", "/workerpool/pools/pool", {
    provider_config: { place, ...fields },
  });
  assert.equal(status, 200);
}

Deno.test("machines at the place before drain and are removed there, without an end of a session, before those at the new one start", async () => {
  await using scene = await setScene({ pool: { min_workers: 2 } });
  const { api, fake } = scene;
  await scene.pass();
  await scene.registerAll();
  const [idle = "", busy = ""] = fake.machines.keys();
  await api.session();
  const claimed = await api.claim(busy);
  assert.ok(claimed);
  await moveTo(scene, "there");
  await scene.pass();
  assert.deepEqual(await scene.statuses(), ["draining", "draining"]);
  // A session that waits makes no drained worker take sessions again.
  await api.session();
  await scene.pass();
  assert.deepEqual(await scene.statuses(), ["draining", "draining"]);
  await scene.leave(idle);
  scene.clock.advance(4_000);
  await scene.pass();
  scene.clock.advance(4_000);
  await scene.pass();
  assert.deepEqual([...fake.machines.keys()], [busy]);
  assert.equal(fake.starts.length, 2);
  await api.report(busy, claimed, "failed", { status_reason: "test" });
  await scene.leave(busy);
  await scene.advance(20_000);
  assert.ok(!fake.machines.has(busy));
  assert.equal(fake.machines.size, 2);
  assert.equal(fake.starts.length, 4);
  assert.deepEqual(await scene.statuses(), ["starting", "starting"]);
});

Deno.test("a change of other options or secrets takes effect at once", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { fake, grid } = scene;
  await scene.pass();
  await scene.registerAll();
  const [before] = await grid.core.db.orm.select().from(scaledPools);
  await moveTo(scene, "here", { token: "renewed" });
  await scene.advance(10_000);
  const [after] = await grid.core.db.orm.select().from(scaledPools);
  assert.notEqual(after?.providerConfig, before?.providerConfig);
  assert.deepEqual(await scene.statuses(), ["running"]);
  assert.equal(fake.opened.length, 2);
});

Deno.test("a place where no machine could be started is left at once", async () => {
  await using scene = await setScene({
    pool: { min_workers: 1, provider_config: { place: "typo" } },
  });
  const { clock, fake } = scene;
  fake.knobs.startError = new Error("no place typo");
  fake.knobs.lostPlaces.add("typo");
  await scene.pass();
  assert.equal(fake.starts.length, 1);
  fake.knobs.startError = undefined;
  await moveTo(scene, "here");
  clock.advance(5_000);
  await scene.pass();
  assert.deepEqual(await scene.statuses(), ["starting"]);
  assert.equal(fake.machines.size, 1);
});

Deno.test("a place whose machines cannot be removed for 15 minutes is given up, and the log names what may be left", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { fake } = scene;
  await scene.pass();
  await scene.registerAll();
  const [left = ""] = fake.machines.keys();
  await moveTo(scene, "there");
  await scene.pass();
  await scene.leave(left);
  fake.knobs.lostPlaces.add("here");
  await scene.advance(14 * 60_000);
  assert.equal(fake.starts.length, 1);
  await using logs = await logRecords();
  await scene.advance(3 * 60_000);
  assert.equal(fake.starts.length, 2);
  assert.deepEqual(await scene.statuses(), ["starting"]);
  const messages = logs.records.filter(({ level }) => level === "error")
    .map(({ properties }) => properties.worker_ids);
  assert.deepEqual(messages, [left]);
});
