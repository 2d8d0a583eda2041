import assert from "node:assert/strict";
import { BrowserMeter } from "../../../src/worker/host/browser_meter.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { createFakeClock } from "../../support/clock.ts";
import { createFakeBrowser } from "../../support/fake_provider.ts";

Deno.test("take() measures a browser from its first second on, and then every five", async () => {
  const clock = createFakeClock();
  const meter = new BrowserMeter(clock);
  let measured = 0;
  const browser = {
    ...createFakeBrowser(browserSpec(), "session-1"),
    stats: () => Promise.resolve({ memoryMb: ++measured }),
  };
  for (
    const [waitMs, expected] of [[0, 0], [999, 0], [1, 1], [4_999, 1], [1, 2]]
  ) {
    clock.advance(waitMs ?? 0);
    meter.take(browser);
    assert.equal(measured, expected);
    // The measurement that has begun ends.
    await Promise.resolve();
    await Promise.resolve();
  }
  assert.deepEqual(meter.take(browser), { memoryMb: 2 });
});
