import assert from "node:assert/strict";
import {
  type Observation,
  type PassResult,
  reconcileOnce,
} from "../../src/reconciler/reconciler.ts";
import type { SettingsInput } from "../../src/core/settings.ts";
import { type Api, createApiClient } from "../support/api.ts";
import { createFakeClock, type FakeClock } from "../support/clock.ts";
import { type TestGrid, testGrid } from "../support/grid.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** A grid with a pool whose time stands still. */
async function scene(
  settings: SettingsInput = {},
): Promise<
  AsyncDisposable & {
    readonly grid: TestGrid;
    readonly api: Api;
    readonly clock: FakeClock;
    /** @param watch By default a server that has always watched. */
    pass(watch?: Observation): Promise<PassResult["counts"]>;
    statusOf(id: string): Promise<readonly [string, string | null]>;
  }
> {
  const clock = createFakeClock();
  const grid = await testGrid({ clock, settings });
  const api = createApiClient(grid);
  await api.pool();
  return {
    grid,
    api,
    clock,
    async pass(watch) {
      const { counts, failures } = await reconcileOnce(grid, watch);
      assert.deepEqual([...failures.values()], []);
      return counts;
    },
    async statusOf(id) {
      const { status, statusReason } = await grid.sessions.get(id);
      return [status, statusReason];
    },
    [Symbol.asyncDispose]: () => grid[Symbol.asyncDispose](),
  };
}

Deno.test("a worker is offline after three missed heartbeats, not before, and online again with the next", async () => {
  await using s = await scene();
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
  await using s = await scene({ max_start_attempts: 2 });
  const { id } = await s.api.session();
  await s.api.claim(await s.api.worker());
  s.clock.advance(31 * SECOND);
  assert.equal((await s.pass()).expiredLeases, 1);
  const [status] = await s.statusOf(id);
  assert.equal(status, "pending");
  const again = await s.api.claim(await s.api.worker());
  assert.deepEqual([again?.id, again?.fencing_token], [id, 2]);
  s.clock.advance(31 * SECOND);
  await s.pass();
  const [end, reason] = await s.statusOf(id);
  assert.equal(end, "failed");
  assert.match(reason ?? "", /too often/);
});

Deno.test("a session that is queued again at the end of its queue deadline can still be claimed for a minute, and shows nothing of its first attempt", async () => {
  await using s = await scene();
  const { id } = await s.api.session();
  const deadline = 300 * SECOND;
  s.clock.advance(deadline - SECOND);
  await s.api.claim(await s.api.worker());
  s.clock.advance(31 * SECOND);
  assert.equal((await s.pass()).expiredLeases, 1);
  assert.deepEqual(await s.statusOf(id), [
    "pending",
    "its worker was lost while it started",
  ]);
  s.clock.advance(60 * SECOND);
  assert.equal((await s.pass()).overdue, 0);
  const worker = await s.api.worker();
  const again = await s.api.claim(worker);
  assert.equal(again?.id, id);
  assert.deepEqual(await s.statusOf(id), ["starting", null]);
  s.clock.advance(31 * SECOND);
  await s.pass();
  s.clock.advance(60 * SECOND + 1);
  assert.equal((await s.pass()).overdue, 1, "nobody took it this time");
});

Deno.test("time in the queue that is left when a session is queued again is not cut short", async () => {
  await using s = await scene();
  const { id } = await s.api.session();
  await s.api.claim(await s.api.worker());
  s.clock.advance(31 * SECOND);
  await s.pass();
  s.clock.advance(269 * SECOND);
  await s.pass();
  assert.equal((await s.statusOf(id))[0], "pending");
  s.clock.advance(1);
  await s.pass();
  assert.equal((await s.statusOf(id))[0], "failed");
});

Deno.test("a running session whose worker is lost has crashed, and its late report is refused", async () => {
  await using s = await scene();
  const { workerId, claimed } = await s.api.running();
  s.clock.advance(31 * SECOND);
  await s.pass();
  assert.deepEqual(await s.statusOf(claimed.id), [
    "crashed",
    "its worker was lost",
  ]);
  assert.equal(
    await s.api.report(workerId, claimed, "running"),
    "lease_lost",
  );
});

Deno.test("heartbeats keep a session as long as it is allowed to live", async () => {
  await using s = await scene();
  const { workerId, claimed } = await s.api.running();
  for (let beat = 0; beat < 50; beat++) {
    s.clock.advance(10 * SECOND);
    await s.api.report(workerId, claimed, "running");
    await s.pass();
  }
  assert.deepEqual((await s.statusOf(claimed.id))[0], "running");
});

Deno.test("a session that is not claimed by its queue deadline fails with the reason why it waited", async () => {
  await using s = await scene({ queue_timeout_seconds: 60 });
  const alone = await s.api.session();
  s.clock.advance(61 * SECOND);
  assert.equal((await s.pass()).overdue, 1);
  const [status, reason] = await s.statusOf(alone.id);
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
    await Promise.all([last, first].map((each) => s.statusOf(each.id))),
    [
      ["failed", `${paused}; it is number 2 in the queue`],
      ["failed", `${paused}; it is number 1 in the queue`],
    ],
  );
});

Deno.test("a session past its lifetime is ordered to end, and is expired", async () => {
  await using s = await scene();
  const { workerId, claimed } = await s.api.running({
    resource_limits: { timeout_minutes: 5 },
  });
  for (let minute = 0; minute < 10; minute++) {
    s.clock.advance(MINUTE / 2);
    await s.api.report(workerId, claimed, "running");
  }
  await s.pass();
  assert.equal((await s.statusOf(claimed.id))[0], "running", "to the minute");
  s.clock.advance(1);
  assert.equal((await s.pass()).expired, 1);
  const { body } = await s.api.call(
    "PUT",
    `/workerpool/workers/${workerId}/heartbeat`,
    {},
  );
  assert.equal(body.commands[0].status, "expired");
  await s.api.report(workerId, claimed, "expired");
  assert.equal((await s.statusOf(claimed.id))[0], "expired");
});

Deno.test("a session that nobody uses for its idle time is ordered to end; one that is used is not", async () => {
  await using s = await scene();
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
  assert.equal((await s.statusOf(claimed.id))[0], "timed_out");
});

Deno.test("an order that its worker does not obey for a whole lease ends the session in the record, as ordered", async () => {
  await using s = await scene();
  const { workerId, claimed } = await s.api.running();
  await s.api.call("DELETE", `/sessions/${claimed.id}`);
  for (let beat = 0; beat < 4; beat++) {
    s.clock.advance(10 * SECOND);
    await s.api.report(workerId, claimed, "running");
    await s.pass();
  }
  assert.equal((await s.statusOf(claimed.id))[0], "completed");
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

Deno.test("what was ordered to end when its worker is lost ends as ordered, not as crashed", async () => {
  await using s = await scene();
  const { claimed } = await s.api.running();
  await s.api.call("DELETE", `/sessions/${claimed.id}`);
  s.clock.advance(31 * SECOND);
  await s.pass();
  assert.equal((await s.statusOf(claimed.id))[0], "completed");
});

Deno.test("whatever a lost worker was ordered, each session ends as it was ordered, however many there are", async () => {
  await using s = await scene();
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
  // More than are changed at once: none of them is lost as if there was no order.
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

Deno.test("ended sessions and offline workers are forgotten after retention_hours, live ones never", async () => {
  await using s = await scene({ retention_hours: 1 });
  const ended = await s.api.session();
  await s.api.call("DELETE", `/sessions/${ended.id}`);
  await s.api.worker();
  s.clock.advance(59 * MINUTE);
  await s.pass();
  assert.equal((await s.statusOf(ended.id))[0], "completed");
  s.clock.advance(2 * MINUTE);
  const live = await s.api.session();
  await s.pass();
  await assert.rejects(s.grid.sessions.get(ended.id), {
    code: "session_not_found",
  });
  assert.equal((await s.statusOf(live.id))[0], "pending");
  const { items } = await s.grid.workers.list({ limit: 10 });
  assert.deepEqual(items, []);
});

Deno.test("two reconcilers at once change each thing once", async () => {
  await using s = await scene();
  const ids: string[] = [];
  for (let at = 0; at < 6; at++) ids.push((await s.api.session()).id);
  const worker = await s.api.worker();
  for (let at = 0; at < 3; at++) await s.api.claim(worker);
  s.clock.advance(400 * SECOND);
  const passes = () => Promise.all([s.pass(), s.pass(), s.pass()]);
  let counted = await passes();
  const sum = (concern: string) =>
    counted.reduce((total, counts) => total + (counts[concern] ?? 0), 0);
  assert.equal(sum("lostWorkers"), 1);
  assert.equal(sum("expiredLeases"), 3);
  assert.equal(sum("overdue"), 3);
  // Those that were queued again have some more time to be taken.
  s.clock.advance(61 * SECOND);
  counted = await passes();
  assert.equal(sum("overdue"), 3);
  for (const id of ids) {
    const events = await s.grid.sessions.events(id, 0, 100);
    const failures = events.filter(({ event }) => event === "session_failed");
    assert.equal(failures.length, 1);
  }
  assert.deepEqual(
    Object.values(await s.pass()).filter((count) => count > 0),
    [],
    "and nothing is left to change",
  );
});

Deno.test("a server that has watched for less than a lease declares nobody late", async () => {
  await using s = await scene({ queue_timeout_seconds: 60 });
  const { workerId, claimed } = await s.api.running();
  const waiting = await s.api.session();
  s.clock.advance(10 * MINUTE);
  const counts = await s.pass({ observedMs: () => 29_999, leaseMs: 30_000 });
  assert.deepEqual(Object.values(counts).filter((count) => count > 0), []);
  await s.api.report(workerId, claimed, "running");
  await s.pass({ observedMs: () => 30_000, leaseMs: 30_000 });
  assert.equal((await s.statusOf(claimed.id))[0], "running", "it came back");
  assert.equal((await s.statusOf(waiting.id))[0], "failed");
});

Deno.test("a clock that was set back by hours keeps no dead worker and no lost session alive", async () => {
  await using s = await scene();
  const { workerId, claimed } = await s.api.running();
  s.clock.advance(-3 * 60 * MINUTE);
  await s.pass();
  s.clock.advance(31 * SECOND);
  await s.pass();
  assert.equal((await s.grid.workers.get(workerId)).status, "offline");
  assert.equal((await s.statusOf(claimed.id))[0], "crashed");
});

Deno.test("one pass ends no more than a few hundred sessions, the next ones the rest", async () => {
  await using s = await scene({ queue_timeout_seconds: 60 });
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

Deno.test("a start that takes too long has failed whatever its worker says; news of a pull give it more time", async () => {
  await using s = await scene({ start_timeout_seconds: 60 });
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
  assert.equal((await s.statusOf(id))[0], "starting");
  await beat(9, []);
  assert.equal((await s.statusOf(id))[0], "starting", "60 s, and a lease");
  await beat(1, []);
  assert.deepEqual(await s.statusOf(id), [
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
    "its worker has to end what it is at",
  );
});

Deno.test("an ephemeral session that nobody attends ends: it waits no more, or its worker is ordered to end it", async () => {
  await using s = await scene();
  const { sessions } = s.grid;
  const connect = async () =>
    (await sessions.create({}, { ephemeral: true })).id;
  const held = await connect();
  const worker = await s.api.worker({ capacity: 1 });
  const claimed = await s.api.claim(worker);
  assert.equal(claimed?.id, held);
  const [left, kept, posted] = [
    await connect(),
    await connect(),
    (await s.api.session()).id,
  ];
  s.clock.advance(12 * SECOND);
  await sessions.activity.recordActivity({
    active: [],
    clientsSeen: [kept, posted],
  });
  s.clock.advance(8 * SECOND + 1);
  assert.equal((await s.pass()).abandoned, 2);
  assert.equal((await s.statusOf(left))[0], "terminated");
  assert.equal((await s.statusOf(kept))[0], "pending");
  assert.equal((await s.statusOf(posted))[0], "pending");
  const { body } = await s.api.call(
    "PUT",
    `/workerpool/workers/${worker}/heartbeat`,
    {},
  );
  assert.equal(body.commands[0].session_id, held);
  s.clock.advance(60 * SECOND);
  await s.pass();
  assert.equal((await s.statusOf(posted))[0], "pending", "made by POST");
});

Deno.test("what a drained worker still holds when its time is over is ordered to end", async () => {
  await using s = await scene();
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
    "nothing stays draining for good, not even a worker that does not leave",
  );
});

Deno.test("a draining pool becomes inactive when its last session has ended", async () => {
  await using s = await scene();
  const { workerId, claimed } = await s.api.running();
  await s.api.call("POST", "/workerpool/pools/pool/drain");
  await s.pass();
  assert.equal((await s.grid.pools.get("pool")).status, "draining");
  await s.api.report(workerId, claimed, "completed");
  assert.equal((await s.pass()).drainedPools, 1);
  assert.equal((await s.grid.pools.get("pool")).status, "inactive");
});

Deno.test("a concern that fails keeps no other from its work", async () => {
  await using s = await scene();
  const { claimed } = await s.api.running();
  s.clock.advance(31 * SECOND);
  const { counts, failures } = await reconcileOnce({
    ...s.grid,
    workers: {
      markLost: () => Promise.reject(new Error("no luck")),
      prune: () => Promise.reject(new Error("no luck either")),
    },
  });
  assert.deepEqual([...failures.keys()], ["lostWorkers", "prunedWorkers"]);
  assert.equal(counts.expiredLeases, 1);
  assert.equal((await s.statusOf(claimed.id))[0], "crashed");
});

Deno.test("more time that is asked for in time takes back the order to end a session for its age, no other", async () => {
  await using s = await scene();
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

Deno.test("a session is idle when it has run for 30 s without use, or half of its idle timeout; one that waits is not", async () => {
  await using s = await scene();
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

Deno.test("a server that is killed leaves a session with keep_alive for so long to its client, one without as long as a client counts as there", async () => {
  await using s = await scene();
  const { sessions } = s.grid;
  const connect = async (keepAliveSeconds?: number) => {
    const { id } = await sessions.create({}, {
      ephemeral: true,
      keepAliveSeconds,
    });
    const worker = await s.api.worker();
    const claimed = await s.api.claim(worker);
    assert.equal(claimed?.id, id);
    assert.ok(claimed);
    const endpoint = "ws://127.0.0.1:9/devtools/browser/x";
    const report = () => s.api.report(worker, claimed, "running", { endpoint });
    await report();
    await sessions.activity.recordConnected(id);
    return { id, report };
  };
  const kept = await connect(60);
  const brief = await connect(5);
  const plain = await connect();
  // From here on no server says that their clients are there.
  const orders = async () => {
    for (const { report } of [kept, brief, plain]) await report();
    await s.pass();
    const all = await Promise.all(
      [kept, brief, plain].map(({ id }) => sessions.get(id)),
    );
    return all.map(({ stopStatus, stopReason }) => [stopStatus, stopReason]);
  };
  s.clock.advance(20 * SECOND);
  assert.deepEqual(await orders(), Array(3).fill([null, null]));
  s.clock.advance(1);
  const lost = [
    ["completed", "its client did not come back within 5 s"],
    ["terminated", "its client was lost together with its server"],
  ];
  assert.deepEqual(await orders(), [[null, null], ...lost]);
  s.clock.advance(20 * SECOND);
  await orders();
  s.clock.advance(20 * SECOND);
  assert.deepEqual(await orders(), [
    ["completed", "its client did not come back within 60 s"],
    ...lost,
  ]);
});
