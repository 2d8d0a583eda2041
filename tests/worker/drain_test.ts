import assert from "node:assert/strict";
import { Drain } from "../../src/worker/drain.ts";
import { createFakeClock } from "../support/clock.ts";

Deno.test("an ordered drain is over at its deadline, which a later order may move, and can be taken back", () => {
  const clock = createFakeClock();
  const drain = new Drain(clock);
  assert.ok(!drain.isOn && !drain.isOver);
  drain.order(10_000);
  assert.ok(drain.isOn && !drain.isOver);
  clock.advance(9_000);
  drain.order(5_000);
  clock.advance(4_999);
  assert.ok(!drain.isOver);
  clock.advance(1);
  assert.ok(drain.isOver);
  drain.order(undefined);
  assert.ok(!drain.isOn && !drain.isOver);
});

Deno.test("a drain of the worker's own is not taken back by the server", () => {
  const clock = createFakeClock();
  const drain = new Drain(clock);
  drain.begin(10_000);
  drain.begin(99_000);
  drain.order(undefined);
  assert.ok(drain.isOn);
  clock.advance(10_000);
  assert.ok(drain.isOver, "the first time counts");
});

Deno.test("of a drain of its own and an ordered one the earlier deadline counts", () => {
  const clock = createFakeClock();
  const drain = new Drain(clock);
  drain.begin(10_000);
  drain.order(1_000);
  clock.advance(1_000);
  assert.ok(drain.isOver);
});
