import assert from "node:assert/strict";
import { createScene, MINUTE, SECOND } from "./scene.ts";

Deno.test("a session that is not claimed by its queue deadline fails with the reason why it waited", async () => {
  await using s = await createScene({ queue_timeout_seconds: 60 });
  const alone = await s.api.session();
  s.clock.advance(61 * SECOND);
  assert.equal((await s.pass()).overdue, 1);
  const [status, reason] = await s.getStatus(alone.id);
  assert.equal(status, "failed");
  assert.equal(
    reason,
    'its queue deadline passed: no worker of its work pool "pool" is online; it is number 1 in the queue',
  );
  const last = await s.api.session();
  const first = await s.api.session({ priority: 1 });
  await s.api.call("POST", "/workerpool/pools/pool/pause");
  s.clock.advance(61 * SECOND);
  assert.equal((await s.pass()).overdue, 2);
  const paused = 'its queue deadline passed: its work pool "pool" is paused';
  assert.deepEqual(
    await Promise.all([last, first].map((each) => s.getStatus(each.id))),
    [
      ["failed", `${paused}; it is number 2 in the queue`],
      ["failed", `${paused}; it is number 1 in the queue`],
    ],
  );
});

Deno.test("a session past its lifetime is stopped and becomes expired", async () => {
  await using s = await createScene();
  const { workerId, claimed } = await s.api.running({
    resource_limits: { timeout_minutes: 5 },
  });
  for (let minute = 0; minute < 10; minute++) {
    s.clock.advance(MINUTE / 2);
    await s.api.report(workerId, claimed, "running");
  }
  await s.pass();
  assert.equal(
    (await s.getStatus(claimed.id))[0],
    "running",
    "exactly until then",
  );
  s.clock.advance(1);
  assert.equal((await s.pass()).expired, 1);
  const { body } = await s.api.call(
    "PUT",
    `/workerpool/workers/${workerId}/heartbeat`,
    {},
  );
  assert.equal(body.commands[0].status, "expired");
  await s.api.report(workerId, claimed, "expired");
  assert.equal((await s.getStatus(claimed.id))[0], "expired");
});

Deno.test("a session without use for its idle time is stopped; one with use is not", async () => {
  await using s = await createScene();
  const { workerId, claimed } = await s.api.running({
    idle_timeout_seconds: 60,
  });
  s.clock.advance(20 * SECOND);
  await s.api.report(workerId, claimed, "running");
  await s.grid.sessions.activity.recordActivity({
    active: [claimed.id],
    clientsSeen: [],
  });
  for (let beat = 0; beat < 3; beat++) {
    s.clock.advance(20 * SECOND);
    await s.api.report(workerId, claimed, "running");
  }
  assert.equal((await s.pass()).idle, 0);
  s.clock.advance(1);
  assert.equal((await s.pass()).idle, 1);
  await s.api.report(workerId, claimed, "timed_out");
  assert.equal((await s.getStatus(claimed.id))[0], "timed_out");
});

Deno.test("a session is idle after 30 s without use, or half of its idle timeout; a pending one is not", async () => {
  await using s = await createScene();
  const long = await s.api.running();
  const short = await s.api.running({ idle_timeout_seconds: 10 });
  await s.api.session();
  s.clock.advance(5 * SECOND);
  assert.equal((await s.pass()).quiet, 0);
  s.clock.advance(1);
  assert.equal((await s.pass()).quiet, 1);
  const { idleSince } = await s.grid.sessions.get(short.claimed.id);
  assert.equal(idleSince, s.clock.now() - 5 * SECOND - 1);
  s.clock.advance(25 * SECOND);
  await s.api.report(long.workerId, long.claimed, "running");
  assert.equal((await s.pass()).quiet, 1);
  assert.equal((await s.pass()).quiet, 0);
});

Deno.test("a start that takes too long fails, whatever its worker reports; progress of a pull extends it", async () => {
  await using s = await createScene({ start_timeout_seconds: 60 });
  const { id } = await s.api.session();
  const worker = await s.api.worker();
  const claimed = await s.api.claim(worker);
  assert.ok(claimed);
  const beat = async (times: number, progress: string[]) => {
    for (let at = 0; at < times; at++) {
      s.clock.advance(10 * SECOND);
      await s.api.report(worker, claimed, "starting", { progress });
      await s.pass();
    }
  };
  await beat(20, ["Pulling"]);
  assert.equal((await s.getStatus(id))[0], "starting");
  await beat(9, []);
  assert.equal((await s.getStatus(id))[0], "starting", "60 s and a lease");
  await beat(1, []);
  assert.deepEqual(await s.getStatus(id), [
    "failed",
    "it did not start in time",
  ]);
  const { body } = await s.api.call(
    "PUT",
    `/workerpool/workers/${worker}/heartbeat`,
    {},
  );
  assert.deepEqual(
    [body.commands[0].session_id, body.commands[0].force],
    [id, true],
    "its worker must end the start",
  );
});

Deno.test("ended sessions and offline workers are deleted after retention_hours, live ones never", async () => {
  await using s = await createScene({ retention_hours: 1 });
  const ended = await s.api.session();
  await s.api.call("DELETE", `/sessions/${ended.id}`);
  await s.api.worker();
  s.clock.advance(59 * MINUTE);
  await s.pass();
  assert.equal((await s.getStatus(ended.id))[0], "completed");
  s.clock.advance(2 * MINUTE);
  const live = await s.api.session();
  await s.pass();
  await assert.rejects(s.grid.sessions.get(ended.id), {
    code: "session_not_found",
  });
  assert.equal((await s.getStatus(live.id))[0], "pending");
  const { items } = await s.grid.workers.list({ limit: 10 });
  assert.deepEqual(items, []);
});

Deno.test("one pass ends at most a few hundred sessions, and the next ones the rest", async () => {
  await using s = await createScene({ queue_timeout_seconds: 60 });
  await Promise.all(Array.from({ length: 250 }, () => s.api.session()));
  s.clock.advance(61 * SECOND);
  assert.deepEqual(
    [
      (await s.pass()).overdue,
      (await s.pass()).overdue,
      (await s.pass())
        .overdue,
    ],
    [200, 50, 0],
  );
});

Deno.test("a refresh before the end cancels the stop of an expired session, and no other stop", async () => {
  await using s = await createScene();
  const { claimed } = await s.api.running({
    resource_limits: { timeout_minutes: 0.1 },
  });
  s.clock.advance(6 * SECOND + 1);
  assert.equal((await s.pass()).expired, 1);
  const path = `/sessions/${claimed.id}`;
  const more = await s.api.call("POST", `${path}/refresh`, {
    timeout_minutes: 5,
  });
  assert.equal(more.status, 200);
  assert.equal((await s.pass()).expired, 0);
  await s.api.call("DELETE", path);
  const late = await s.api.call("POST", `${path}/refresh`, {});
  assert.deepEqual([late.status, late.body.code], [410, "session_ended"]);
  assert.match(late.body.detail, /running and is being stopped/);
});
