import assert from "node:assert/strict";
import type { RunningBrowser } from "../../src/core/provider.ts";
import { abandonOnAbort } from "../../src/worker/abandon_on_abort.ts";
import { browserSpec } from "../support/browser_spec.ts";
import { createFakeClock } from "../support/clock.ts";
import { createFakeBrowser } from "../support/fake_provider.ts";

Deno.test("a start that ends is waited for, also after it was given up", async () => {
  const clock = createFakeClock();
  const stop = new AbortController();
  const starting = Promise.withResolvers<RunningBrowser>();
  const waiting = abandonOnAbort(starting.promise, stop.signal, clock);
  stop.abort(new Error("not wanted"));
  clock.advance(14_999);
  starting.reject(new Error("cleaned up"));
  await assert.rejects(waiting, /cleaned up/);
});

Deno.test("a start that does not end is left behind, and its browser is stopped when it comes after all", async () => {
  const clock = createFakeClock();
  const stop = new AbortController();
  const starting = Promise.withResolvers<RunningBrowser>();
  const waiting = abandonOnAbort(starting.promise, stop.signal, clock);
  stop.abort(new Error("not wanted"));
  clock.advance(15_000);
  await assert.rejects(waiting, /not wanted/);
  const browser = createFakeBrowser(browserSpec(), "deadlines");
  starting.resolve(browser);
  assert.equal((await browser.exited).reason, "stopped");
});
