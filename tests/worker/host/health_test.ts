import assert from "node:assert/strict";
import { HostHealth } from "../../../src/worker/host/health.ts";
import { createFakeClock } from "../../support/clock.ts";
import { settle } from "../../support/event_loop.ts";
import { logRecords } from "../../support/log_records.ts";

/** The health of a host whose pings a test decides. */
function scene(ping: (signal: AbortSignal) => Promise<void>) {
  const clock = createFakeClock();
  const knobs = { ping };
  let changes = 0;
  let pings = 0;
  const health = new HostHealth({
    host: {
      ping: (signal) => {
        pings++;
        return knobs.ping(signal);
      },
    },
    clock,
    onChange: () => changes++,
  });
  return {
    clock,
    knobs,
    health,
    changes: () => changes,
    pings: () => pings,
    async pass(ms: number) {
      clock.advance(ms);
      await settle();
    },
    [Symbol.asyncDispose]: () => health[Symbol.asyncDispose](),
  };
}

const up = () => Promise.resolve();
const down = () => Promise.reject(new Error("the engine is down"));
const silent = (signal: AbortSignal) =>
  new Promise<void>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason))
  );

Deno.test("HostHealth is up until a ping fails, and up again after one succeeds, with a call of onChange() for each", async () => {
  await using s = scene(up);
  s.health.start();
  await settle();
  assert.ok(s.health.isUp);
  assert.equal(s.changes(), 0);
  s.knobs.ping = down;
  await s.pass(2_400);
  assert.ok(!s.health.isUp);
  assert.equal(s.health.problem, "the engine is down");
  assert.equal(s.changes(), 1);
  await s.pass(2_400);
  assert.equal(s.changes(), 1, "it is still down");
  s.knobs.ping = up;
  await s.pass(2_400);
  assert.equal(s.health.problem, undefined);
  assert.equal(s.changes(), 2);
});

Deno.test("HostHealth pings every 2 to 2.4 s once it is started", async () => {
  await using s = scene(up);
  await settle();
  assert.equal(s.pings(), 0);
  s.health.start();
  await settle();
  assert.equal(s.pings(), 1);
  await s.pass(1_999);
  assert.equal(s.pings(), 1);
  await s.pass(401);
  assert.equal(s.pings(), 2);
});

Deno.test("a ping without a response fails after 4 s", async () => {
  await using s = scene(silent);
  const checking = s.health.check();
  await s.pass(3_999);
  assert.ok(s.health.isUp);
  await s.pass(1);
  assert.ok(!await checking);
  assert.match(s.health.problem ?? "", /Timed out after 4 s/);
});

Deno.test("check() reports the result of a ping of its own, and updates the health", async () => {
  await using s = scene(down);
  assert.ok(!await s.health.check());
  assert.ok(!s.health.isUp);
  s.knobs.ping = up;
  assert.ok(await s.health.check());
  assert.equal(s.changes(), 2);
});

Deno.test("an aborted check changes nothing", async () => {
  await using s = scene(silent);
  const stop = new AbortController();
  const checking = s.health.check(stop.signal);
  stop.abort(new Error("the worker leaves"));
  assert.ok(await checking);
  assert.equal(s.changes(), 0);
});

Deno.test("a host without pings is always up", async () => {
  const health = new HostHealth({
    host: {},
    clock: createFakeClock(),
    onChange: () => assert.fail("it never changes"),
  });
  health.start();
  assert.ok(await health.check());
  assert.ok(health.isUp);
  await health[Symbol.asyncDispose]();
});

Deno.test("HostHealth logs a change of the health once, with the problem", async () => {
  await using s = scene(down);
  await using log = await logRecords();
  await s.health.check();
  await s.health.check();
  s.knobs.ping = up;
  await s.health.check();
  assert.deepEqual(
    log.records.map(({ level, properties }) => [level, properties["problem"]]),
    [["warning", "the engine is down"], ["info", undefined]],
  );
});
