import assert from "node:assert/strict";
import { createScene, MINUTE, SECOND } from "./scene.ts";

Deno.test("a worker is offline after three missed heartbeats, not before, and online again after the next", async () => {
  await using s = await createScene();
  const id = await s.api.worker();
  s.clock.advance(30 * SECOND);
  await s.pass();
  assert.equal((await s.grid.workers.get(id)).status, "online");
  s.clock.advance(1);
  assert.equal((await s.pass()).lostWorkers, 1);
  assert.equal((await s.grid.workers.get(id)).status, "offline");
  await s.api.call("PUT", `/workerpool/workers/${id}/heartbeat`, {});
  assert.equal((await s.grid.workers.get(id)).status, "online");
});

Deno.test("a starting session whose worker is lost is queued again, and fails after max_start_attempts", async () => {
  await using s = await createScene({ max_start_attempts: 2 });
  const { id } = await s.api.session();
  await s.api.claim(await s.api.worker());
  s.clock.advance(31 * SECOND);
  assert.equal((await s.pass()).expiredLeases, 1);
  const [status] = await s.getStatus(id);
  assert.equal(status, "pending");
  const again = await s.api.claim(await s.api.worker());
  assert.deepEqual([again?.id, again?.fencing_token], [id, 2]);
  s.clock.advance(31 * SECOND);
  await s.pass();
  const [end, reason] = await s.getStatus(id);
  assert.equal(end, "failed");
  assert.match(reason ?? "", /too often/);
});

Deno.test("a session that is queued again at its queue deadline can be claimed for another minute, without traces of its first attempt", async () => {
  await using s = await createScene();
  const { id } = await s.api.session();
  const deadline = 300 * SECOND;
  s.clock.advance(deadline - SECOND);
  await s.api.claim(await s.api.worker());
  s.clock.advance(31 * SECOND);
  assert.equal((await s.pass()).expiredLeases, 1);
  assert.deepEqual(await s.getStatus(id), [
    "pending",
    "its worker was lost while it started",
  ]);
  s.clock.advance(60 * SECOND);
  assert.equal((await s.pass()).overdue, 0);
  const worker = await s.api.worker();
  const again = await s.api.claim(worker);
  assert.equal(again?.id, id);
  assert.deepEqual(await s.getStatus(id), ["starting", null]);
  s.clock.advance(31 * SECOND);
  await s.pass();
  s.clock.advance(60 * SECOND + 1);
  assert.equal((await s.pass()).overdue, 1, "no worker claimed it this time");
});

Deno.test("a session that is queued again keeps the rest of its time in the queue", async () => {
  await using s = await createScene();
  const { id } = await s.api.session();
  await s.api.claim(await s.api.worker());
  s.clock.advance(31 * SECOND);
  await s.pass();
  s.clock.advance(269 * SECOND);
  await s.pass();
  assert.equal((await s.getStatus(id))[0], "pending");
  s.clock.advance(1);
  await s.pass();
  assert.equal((await s.getStatus(id))[0], "failed");
});

Deno.test("a running session whose worker is lost has crashed, and its late report is rejected", async () => {
  await using s = await createScene();
  const { workerId, claimed } = await s.api.running();
  s.clock.advance(31 * SECOND);
  await s.pass();
  assert.deepEqual(await s.getStatus(claimed.id), [
    "crashed",
    "its worker was lost",
  ]);
  assert.equal(
    await s.api.report(workerId, claimed, "running"),
    "lease_lost",
  );
});

Deno.test("heartbeats keep a session running until the end of its lifetime", async () => {
  await using s = await createScene();
  const { workerId, claimed } = await s.api.running();
  for (let beat = 0; beat < 50; beat++) {
    s.clock.advance(10 * SECOND);
    await s.api.report(workerId, claimed, "running");
    await s.pass();
  }
  assert.deepEqual((await s.getStatus(claimed.id))[0], "running");
});

Deno.test("a clock that is set back by hours keeps neither a lost worker nor its sessions alive", async () => {
  await using s = await createScene();
  const { workerId, claimed } = await s.api.running();
  s.clock.advance(-3 * 60 * MINUTE);
  await s.pass();
  s.clock.advance(31 * SECOND);
  await s.pass();
  assert.equal((await s.grid.workers.get(workerId)).status, "offline");
  assert.equal((await s.getStatus(claimed.id))[0], "crashed");
});
