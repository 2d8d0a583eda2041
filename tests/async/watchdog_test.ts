import assert from "node:assert/strict";
import { aborted } from "../../src/async/abortable.ts";
import { Watchdog } from "../../src/async/watchdog.ts";

Deno.test("Watchdog aborts its signal when it is not fed in time, with a message that states the time", async () => {
  using watchdog = new Watchdog(1);
  await aborted(watchdog.signal);
  assert.match(String(watchdog.signal.reason), /made no progress for 0.001 s/);
});

Deno.test("Watchdog.feed() replaces the time that is left", async () => {
  using watchdog = new Watchdog(60_000, (ms) => `late after ${ms} ms`);
  watchdog.feed(1);
  await aborted(watchdog.signal);
  assert.equal(watchdog.signal.reason.message, "late after 1 ms");
});

Deno.test("Watchdog that is disposed does not abort its signal, and cannot be fed", async () => {
  const watchdog = new Watchdog(1);
  watchdog[Symbol.dispose]();
  watchdog.feed(1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert(!watchdog.signal.aborted);
});
