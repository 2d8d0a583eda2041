import assert from "node:assert/strict";
import { Timer } from "../../src/async/timer.ts";
import { createFakeClock } from "../support/clock.ts";
import { settle } from "../support/event_loop.ts";

Deno.test("a timer calls once after its time, the last start counts, and none calls after a stop", async () => {
  const clock = createFakeClock();
  const calls: string[] = [];
  const read = (): readonly string[] => calls;
  {
    using timer = new Timer(clock);
    timer.start(100, () => void calls.push("replaced"));
    timer.start(200, () => void calls.push("second"));
    assert.ok(timer.isRunning);
    clock.advance(150);
    await settle();
    assert.deepEqual(read(), []);
    clock.advance(50);
    await settle();
    assert.deepEqual(read(), ["second"]);
    assert.ok(!timer.isRunning);
    timer.start(10, () => void calls.push("stopped"));
  }
  clock.advance(100);
  await settle();
  assert.deepEqual(read(), ["second"]);
});
