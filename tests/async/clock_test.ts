import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";

Deno.test("systemClock.sleep() resolves after the given time", async () => {
  const start = systemClock.monotonic();
  await systemClock.sleep(5);
  assert(systemClock.monotonic() - start >= 4);
});

Deno.test("systemClock.sleep() rejects with the reason of its signal and leaves no timer", async () => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(60_000, stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(sleeping, /enough/);
  await assert.rejects(systemClock.sleep(60_000, stop.signal), /enough/);
});

Deno.test("sleep() does not end at once if it is longer than a timer can be", async () => {
  const end = new AbortController();
  const long = systemClock.sleep(2 ** 31, end.signal).then(() => "long");
  const short = systemClock.sleep(20).then(() => "short");
  assert.equal(await Promise.race([long, short]), "short");
  end.abort(new Error("enough"));
  await assert.rejects(long, /enough/);
});
