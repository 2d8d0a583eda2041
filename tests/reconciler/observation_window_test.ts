import assert from "node:assert/strict";
import { ObservationWindow } from "../../src/reconciler/observation_window.ts";

const SECOND = 1_000;

/** A server that watches, by clocks that a test moves. */
function scene() {
  const time = { now: 1_800_000_000_000, monotonic: 0 };
  const breaks: string[] = [];
  const continuity = new ObservationWindow({
    now: () => time.now,
    monotonic: () => time.monotonic,
  }, (reason) => breaks.push(reason));
  return {
    continuity,
    breaks,
    pass(ms: number) {
      time.now += ms;
      time.monotonic += ms;
    },
    jump(ms: number) {
      time.now += ms;
    },
    watch: () => continuity.observedMs(),
  };
}

Deno.test("watchedMs() counts from the first pass, as long as passes follow each other", () => {
  const s = scene();
  assert.equal(s.watch(), 0);
  for (let at = 1; at <= 20; at++) {
    s.pass(3 * SECOND);
    assert.equal(s.watch(), at * 3 * SECOND);
  }
});

Deno.test("watchedMs() begins anew after a gap, as when the process was stopped", () => {
  const s = scene();
  s.watch();
  s.pass(60 * SECOND);
  assert.equal(s.watch(), 0);
  assert.match(s.breaks[0] ?? "", /did not watch for 60 s/);
  s.pass(3 * SECOND);
  assert.equal(s.watch(), 3 * SECOND);
});

Deno.test("watchedMs() begins anew when the database did nothing for the server", () => {
  const s = scene();
  s.watch();
  s.pass(4 * SECOND);
  assert.equal(s.watch(), 4 * SECOND);
  s.continuity.reset();
  s.pass(1 * SECOND);
  assert.equal(s.watch(), 1 * SECOND);
});

for (const hours of [3, -3]) {
  Deno.test(`watchedMs() begins anew when the wall clock jumps by ${hours} h, and only then`, () => {
    const s = scene();
    s.watch();
    s.pass(3 * SECOND);
    assert.equal(s.watch(), 3 * SECOND);
    s.jump(hours * 3_600 * SECOND);
    s.pass(3 * SECOND);
    assert.equal(s.watch(), 0);
    assert.match(s.breaks[0] ?? "", /the clock jumped/);
    s.pass(3 * SECOND);
    assert.equal(s.watch(), 3 * SECOND);
  });
}
