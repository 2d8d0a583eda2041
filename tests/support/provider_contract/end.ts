import assert from "node:assert/strict";
import fc from "fast-check";
import { systemClock } from "../../../src/async/clock.ts";
import type { DeclareTest } from "./declare_test.ts";
import {
  awaitAbortedStart,
  connectTo,
  GRACE_MS,
  NEVER,
  openScene,
  type ProviderUnderTest,
  waitForNoResources,
  waitUntil,
} from "../provider_machine.ts";

/** Default number of aborted starts, each after a random time. */
const ABORTED_STARTS = 5;

/** Maximum time after which a start is aborted. */
const START_MS = 600;

/** Declares the tests of stopped, crashed and aborted browsers. */
export function declareEndTests(
  contract: DeclareTest,
  provider: ProviderUnderTest,
): void {
  const { spec, interruptions: numRuns = ABORTED_STARTS } = provider;

  contract("stop() is idempotent and leaves no resources", async () => {
    await using test = await openScene(provider);
    const browser = await test.host.start(spec(), "s", NEVER);
    assert.notDeepEqual(await test.machine.listResources(), []);
    await Promise.all([browser.stop(GRACE_MS), browser.stop(GRACE_MS)]);
    assert.deepEqual(await test.machine.listResources(), []);
    await browser.stop(0);
    assert.equal((await browser.exited).reason, "stopped");
  });

  contract(
    "stop() with a shorter grace period shortens an earlier call",
    async () => {
      await using test = await openScene(provider);
      const browser = await test.host.start(spec(), "s", NEVER);
      await test.machine.freeze(browser);
      const asked = systemClock.monotonic();
      const patient = browser.stop(60_000);
      await browser.stop(0);
      await patient;
      assert.ok(systemClock.monotonic() - asked < 20_000);
      assert.deepEqual(await test.machine.listResources(), []);
    },
  );

  contract("start() rejects immediately if it is already aborted", async () => {
    await using test = await openScene(provider);
    const signal = AbortSignal.abort(new Error("no longer wanted"));
    await assert.rejects(
      test.host.start(spec(), "s", signal),
      /no longer wanted/,
    );
    assert.deepEqual(await test.machine.listResources(), []);
  });

  contract(
    "start() aborted after its first resource leaves no resources",
    async () => {
      await using test = await openScene(provider);
      const abort = new AbortController();
      const starting = awaitAbortedStart(
        test.host.start(spec(), "s", abort.signal),
      );
      await waitUntil(async () =>
        (await test.machine.listResources()).length > 0
      );
      abort.abort(new Error("no longer wanted"));
      await starting;
      await waitForNoResources(test.machine);
    },
  );

  contract("start() aborted at any moment leaves no resources", async () => {
    await using test = await openScene(provider);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: START_MS }),
        fc.boolean(),
        async (afterMs, headless) => {
          const abort = new AbortController();
          const id = crypto.randomUUID();
          const starting = awaitAbortedStart(
            test.host.start(spec({ headless }), id, abort.signal),
          );
          await systemClock.sleep(afterMs);
          abort.abort(new Error("no longer wanted"));
          await starting;
          await waitForNoResources(test.machine);
        },
      ),
      { numRuns, endOnFailure: true },
    );
  });

  contract("exited reports the crash of a browser and its reason", async () => {
    await using test = await openScene(provider);
    const browser = await test.host.start(spec(), "s", NEVER);
    await test.machine.kill(browser);
    const { reason, detail } = await browser.exited;
    assert.equal(reason, "crashed");
    assert.match(detail, /SIGKILL|137/);
    await browser.stop(0);
    assert.deepEqual(await browser.exited, { reason, detail });
    assert.deepEqual(await test.machine.listResources(), []);
  });

  contract("exited reports that a client closed the browser", async () => {
    await using test = await openScene(provider);
    const browser = await test.host.start(spec(), "s", NEVER);
    await using client = await connectTo(browser);
    await client.close();
    assert.equal((await browser.exited).reason, "stopped");
    await browser.stop(0);
    assert.deepEqual(await test.machine.listResources(), []);
  });
}
