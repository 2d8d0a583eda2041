import assert from "node:assert/strict";
import { ObservationWindow } from "../../src/reconciler/observation_window.ts";

const SECOND = 1_000;

/** Creates a window on clocks that the test moves. */
function createScene() {
  const time = { now: 1_800_000_000_000, monotonic: 0 };
  const reasons: string[] = [];
  const observation = new ObservationWindow({
    now: () => time.now,
    monotonic: () => time.monotonic,
  }, (reason) => reasons.push(reason));
  return {
    observation,
    reasons,
    pass(ms: number) {
      time.now += ms;
      time.monotonic += ms;
    },
    jump(ms: number) {
      time.now += ms;
    },
    observe: () => observation.observedMs(),
  };
}

Deno.test("observedMs() counts from the first observation while they follow each other", () => {
  const s = createScene();
  assert.equal(s.observe(), 0);
  for (let at = 1; at <= 20; at++) {
    s.pass(3 * SECOND);
    assert.equal(s.observe(), at * 3 * SECOND);
  }
});

Deno.test("observedMs() starts anew after a gap, such as a stopped process", () => {
  const s = createScene();
  s.observe();
  s.pass(60 * SECOND);
  assert.equal(s.observe(), 0);
  assert.match(s.reasons[0] ?? "", /was not running for 60 s/);
  s.pass(3 * SECOND);
  assert.equal(s.observe(), 3 * SECOND);
});

Deno.test("observedMs() starts anew after reset()", () => {
  const s = createScene();
  s.observe();
  s.pass(4 * SECOND);
  assert.equal(s.observe(), 4 * SECOND);
  s.observation.reset();
  s.pass(1 * SECOND);
  assert.equal(s.observe(), 1 * SECOND);
});

for (const hours of [3, -3]) {
  Deno.test(`observedMs() starts anew when the wall clock jumps by ${hours} h, and only then`, () => {
    const s = createScene();
    s.observe();
    s.pass(3 * SECOND);
    assert.equal(s.observe(), 3 * SECOND);
    s.jump(hours * 3_600 * SECOND);
    s.pass(3 * SECOND);
    assert.equal(s.observe(), 0);
    assert.match(s.reasons[0] ?? "", /the clock jumped/);
    s.pass(3 * SECOND);
    assert.equal(s.observe(), 3 * SECOND);
  });
}
