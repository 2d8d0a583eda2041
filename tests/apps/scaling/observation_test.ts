import assert from "node:assert/strict";
import { Observation } from "../../../src/apps/scaling/observation.ts";

Deno.test("observe() begins anew after a gap of more than 10 s and after a jump of the wall clock", () => {
  let now = 1_000;
  let monotonic = 0;
  const observation = new Observation({
    now: () => now,
    monotonic: () => monotonic,
  });
  const advance = (ms: number, jump = 0) => {
    monotonic += ms;
    now += ms + jump;
    return observation.observe();
  };
  assert.equal(observation.observe(), 1_000);
  assert.equal(advance(10_000), 1_000);
  assert.equal(advance(10_001), 21_001);
  assert.equal(advance(2_000, 1_999), 21_001);
  assert.equal(advance(2_000, 3_600_000), now);
  const jumped = now;
  assert.equal(advance(2_000), jumped);
  assert.equal(advance(2_000, -3_600_000), now);
});
