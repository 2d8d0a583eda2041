import assert from "node:assert/strict";
import { Drain } from "../../src/worker/drain.ts";
import { createFakeClock } from "../support/clock.ts";

Deno.test("a drain by the server expires at its deadline, which a later order may move, and can be withdrawn", () => {
  const clock = createFakeClock();
  const drain = new Drain(clock);
  assert.ok(!drain.isActive && !drain.isExpired);
  drain.setServerDrain(10_000);
  assert.ok(drain.isActive && !drain.isExpired);
  clock.advance(9_000);
  drain.setServerDrain(5_000);
  clock.advance(4_999);
  assert.ok(!drain.isExpired);
  clock.advance(1);
  assert.ok(drain.isExpired);
  drain.setServerDrain(undefined);
  assert.ok(!drain.isActive && !drain.isExpired);
});

Deno.test("a drain from the worker's host cannot be withdrawn by the server, and its first timeout counts", () => {
  const clock = createFakeClock();
  const drain = new Drain(clock);
  drain.begin(10_000);
  drain.begin(99_000);
  drain.setServerDrain(undefined);
  assert.ok(drain.isActive);
  clock.advance(10_000);
  assert.ok(drain.isExpired, "the first time counts");
});

Deno.test("of a drain from the host and one by the server, the earlier deadline counts", () => {
  const clock = createFakeClock();
  const drain = new Drain(clock);
  drain.begin(10_000);
  drain.setServerDrain(1_000);
  clock.advance(1_000);
  assert.ok(drain.isExpired);
});
