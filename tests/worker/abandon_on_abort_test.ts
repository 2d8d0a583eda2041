import assert from "node:assert/strict";
import type { RunningBrowser } from "../../src/core/provider.ts";
import { abandonOnAbort } from "../../src/worker/abandon_on_abort.ts";
import { browserSpec } from "../support/browser_spec.ts";
import { createFakeClock } from "../support/clock.ts";
import { createFakeBrowser } from "../support/fake_provider.ts";

Deno.test("abandonOnAbort() waits 15 s after the abort for a start that ends", async () => {
  const clock = createFakeClock();
  const stop = new AbortController();
  const starting = Promise.withResolvers<RunningBrowser>();
  const waiting = abandonOnAbort(starting.promise, stop.signal, clock);
  stop.abort(new Error("not wanted"));
  clock.advance(14_999);
  starting.reject(new Error("cleaned up"));
  await assert.rejects(waiting, /cleaned up/);
});

Deno.test("abandonOnAbort() abandons a start that does not end, and stops the browser if the start still succeeds", async () => {
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
