import assert from "node:assert/strict";
import { Continuity } from "../../src/reconciler/continuity.ts";

const SECOND = 1_000;

/** A server that watches, by clocks that a test moves. */
function scene() {
  const time = { now: 1_800_000_000_000, monotonic: 0 };
  const continuity = new Continuity({
    now: () => time.now,
    monotonic: () => time.monotonic,
  });
  return {
    continuity,
    pass(ms: number) {
      time.now += ms;
      time.monotonic += ms;
    },
    jump(ms: number) {
      time.now += ms;
    },
    /** A pass that succeeds. Returns how long it has watched. */
    watch() {
      const watched = continuity.watchedMs();
      continuity.passed();
      return watched;
    },
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
  assert.match(s.continuity.breakBefore() ?? "", /did not watch for 60 s/);
  assert.equal(s.watch(), 0);
  s.pass(3 * SECOND);
  assert.equal(s.watch(), 3 * SECOND);
});

Deno.test("watchedMs() takes passes that fail for none, as when the database is away", () => {
  const s = scene();
  s.watch();
  for (let at = 0; at < 4; at++) {
    s.pass(4 * SECOND);
    s.continuity.watchedMs();
  }
  assert.equal(s.watch(), 0);
});

for (const hours of [3, -3]) {
  Deno.test(`watchedMs() begins anew when the wall clock jumps by ${hours} h, and only then`, () => {
    const s = scene();
    s.watch();
    s.pass(3 * SECOND);
    assert.equal(s.watch(), 3 * SECOND);
    s.jump(hours * 3_600 * SECOND);
    s.pass(3 * SECOND);
    assert.match(s.continuity.breakBefore() ?? "", /the clock jumped/);
    assert.equal(s.watch(), 0);
    s.pass(3 * SECOND);
    assert.equal(s.watch(), 3 * SECOND);
  });
}
