import assert from "node:assert/strict";
import fc from "fast-check";
import { StartBackoff } from "../../../src/worker/warm/start_backoff.ts";
import { createFakeClock } from "../../support/clock.ts";

Deno.test("StartBackoff allows starts until the first failure, which pauses them for 0.5 to 1 s", () => {
  const clock = createFakeClock();
  const backoff = new StartBackoff(clock);
  assert.ok(backoff.mayStart);
  assert.ok(backoff.recordFailure(), "it is the first");
  clock.advance(499);
  assert.ok(!backoff.mayStart);
  clock.advance(501);
  assert.ok(backoff.mayStart);
});

Deno.test("StartBackoff doubles the pause with each consecutive failure, to at most a minute", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), (failures) => {
    const clock = createFakeClock();
    const backoff = new StartBackoff(clock);
    for (let count = 0; count < failures; count++) {
      assert.equal(backoff.recordFailure(), count === 0);
    }
    const pause = Math.min(60_000, 1_000 * 2 ** (failures - 1));
    clock.advance(pause / 2 - 1);
    assert.ok(!backoff.mayStart);
    clock.advance(pause / 2 + 1);
    assert.ok(backoff.mayStart);
  }));
});

Deno.test("StartBackoff counts anew after a success", () => {
  const clock = createFakeClock();
  const backoff = new StartBackoff(clock);
  for (let count = 0; count < 10; count++) backoff.recordFailure();
  backoff.recordSuccess();
  assert.ok(backoff.recordFailure(), "it is the first again");
  clock.advance(1_000);
  assert.ok(backoff.mayStart);
});

Deno.test("StartBackoff.recordUptime() is a success only for a browser that became ready after the last failure and ran for 10 s", () => {
  const clock = createFakeClock();
  const backoff = new StartBackoff(clock);
  const early = clock.monotonic();
  clock.advance(1_000);
  backoff.recordFailure();
  clock.advance(20_000);
  backoff.recordUptime(early);
  assert.ok(!backoff.recordFailure(), "the browser is older than the failure");
  clock.advance(1);
  const late = clock.monotonic();
  clock.advance(10_000);
  backoff.recordUptime(late);
  assert.ok(!backoff.recordFailure(), "the browser has run for 10 s, not more");
  clock.advance(1);
  const later = clock.monotonic();
  backoff.recordUptime(Infinity);
  clock.advance(10_001);
  backoff.recordUptime(later);
  assert.ok(backoff.recordFailure());
});
