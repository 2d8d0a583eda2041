import assert from "node:assert/strict";
import { createScene, SECOND } from "./scene.ts";

Deno.test("a stop that the worker does not obey for a whole lease ends the session in the record, as requested", async () => {
  await using s = await createScene();
  const { workerId, claimed } = await s.api.running();
  await s.api.call("DELETE", `/sessions/${claimed.id}`);
  for (let beat = 0; beat < 4; beat++) {
    s.clock.advance(10 * SECOND);
    await s.api.report(workerId, claimed, "running");
    await s.pass();
  }
  assert.equal((await s.getStatus(claimed.id))[0], "completed");
  const { body } = await s.api.call(
    "PUT",
    `/workerpool/workers/${workerId}/heartbeat`,
    {},
  );
  assert.deepEqual(
    body.commands.map(({ type, session_id }: Record<string, string>) => [
      type,
      session_id,
    ]),
    [["stop", claimed.id]],
    "the worker still has to end the browser",
  );
});

Deno.test("a session that is stopped when its worker is lost ends as requested, not as crashed", async () => {
  await using s = await createScene();
  const { claimed } = await s.api.running();
  await s.api.call("DELETE", `/sessions/${claimed.id}`);
  s.clock.advance(31 * SECOND);
  await s.pass();
  assert.equal((await s.getStatus(claimed.id))[0], "completed");
});

Deno.test("every stopped session of a lost worker ends as requested, however many there are", async () => {
  await using s = await createScene();
  const worker = await s.api.worker({ capacity: 300 });
  const statuses = ["completed", "terminated", "expired", "timed_out"] as const;
  const asked: (readonly [string, (typeof statuses)[number]])[] = [];
  for (let at = 0; at < 240; at++) {
    const { id } = await s.api.session();
    const claimed = await s.api.claim(worker);
    assert.ok(claimed);
    if (at % 2) {
      const endpoint = "ws://127.0.0.1:9/devtools/browser/x";
      await s.api.report(worker, claimed, "running", { endpoint });
    }
    const status = statuses[(at >> 1) % 4] ?? "completed";
    asked.push([id, status]);
    await s.grid.sessions.requestStop(id, { status, reason: `as ${status}` });
  }
  s.clock.advance(31 * SECOND);
  // More than one pass changes: none of them ends as if it was not stopped.
  const { deadlines } = s.grid.sessions;
  assert.equal(await deadlines.expireLeases(), 200);
  assert.equal(await deadlines.expireLeases(), 40);
  for (const [id, status] of asked) {
    const session = await s.grid.sessions.get(id);
    assert.deepEqual([session.status, session.statusReason], [
      status,
      `as ${status}`,
    ]);
    const events = await s.grid.sessions.events(id, 0, 100);
    const last = events.at(-1);
    assert.deepEqual(
      [last?.event, last?.data],
      [`session_${status}`, { reason: `as ${status}` }],
    );
  }
});

Deno.test("sessions that a drained worker still holds at its deadline are stopped", async () => {
  await using s = await createScene();
  const { workerId, claimed } = await s.api.running();
  const path = `/workerpool/workers/${workerId}`;
  await s.api.call("POST", `${path}/drain`, { timeout_seconds: 60 });
  s.clock.advance(20 * SECOND);
  const first = await s.api.call("PUT", `${path}/heartbeat`, {});
  assert.deepEqual(first.body.commands, [{
    type: "drain",
    timeout_ms: 40_000,
  }]);
  await s.api.report(workerId, claimed, "running");
  assert.equal((await s.pass()).drained, 0);
  s.clock.advance(20 * SECOND);
  await s.api.report(workerId, claimed, "running");
  s.clock.advance(20 * SECOND + 1);
  assert.equal((await s.pass()).drained, 1);
  const { body } = await s.api.call("PUT", `${path}/heartbeat`, {});
  const stop = body.commands.find(({ type }: { type: string }) =>
    type === "stop"
  );
  assert.equal(stop.session_id, claimed.id);
  await s.api.report(workerId, claimed, "terminated");
  await s.api.call("PUT", `${path}/heartbeat`, {});
  assert.equal(
    (await s.grid.workers.get(workerId)).status,
    "offline",
    "a worker that does not leave does not stay draining",
  );
});

Deno.test("a draining pool becomes inactive when its last session has ended", async () => {
  await using s = await createScene();
  const { workerId, claimed } = await s.api.running();
  await s.api.call("POST", "/workerpool/pools/pool/drain");
  await s.pass();
  assert.equal((await s.grid.pools.get("pool")).status, "draining");
  await s.api.report(workerId, claimed, "completed");
  assert.equal((await s.pass()).drainedPools, 1);
  assert.equal((await s.grid.pools.get("pool")).status, "inactive");
});
