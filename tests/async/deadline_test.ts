import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";
import { deadline } from "../../src/async/deadline.ts";
import { createFakeClock } from "../support/clock.ts";

Deno.test("deadline() aborts after the given time of the clock", async () => {
  const clock = createFakeClock();
  using patience = deadline(clock, 1_000);
  clock.advance(999);
  await Promise.resolve();
  assert.ok(!patience.signal.aborted);
  clock.advance(1);
  await Promise.resolve();
  assert.equal(patience.signal.reason.name, "TimeoutError");
});

Deno.test("deadline() of 0 ms is aborted from the start", () => {
  using patience = deadline(createFakeClock(), 0);
  assert.ok(patience.signal.aborted);
});

Deno.test("deadline() aborts with the given signals, and on disposal", () => {
  const stop = new AbortController();
  const followed = deadline(systemClock, 60_000, stop.signal);
  stop.abort(new Error("enough"));
  assert.match(String(followed.signal.reason), /enough/);
  followed[Symbol.dispose]();
  const left = deadline(systemClock, 60_000);
  left[Symbol.dispose]();
  assert.equal(left.signal.reason.name, "AbortError");
});
