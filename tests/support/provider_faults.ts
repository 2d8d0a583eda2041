/**
 * The contract of a provider while its infrastructure is unavailable, hangs or is slow, as tests.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { systemClock } from "../../src/async/clock.ts";
import {
  connectTo,
  GRACE_MS,
  NEVER,
  nothingLeft,
  providerTest,
  type ProviderUnderTest,
  set,
  type Setting,
  until,
  type Way,
} from "./provider_ground.ts";

/** Starts during which the way is cut, each after another time. */
const CUT_STARTS = 5;

/** Time within which the way is cut during a start. */
const START_MS = 600;

/** Longest time until an infrastructure that hangs is noticed. */
const PING_MS = 5_000;

/** Timeout until an aborted start has ended. */
const GIVE_UP_MS = 15_000;

/** By how much everything is later on a slow way. */
const SLOW_MS = 150;

/** Declares the tests of the provider `name` that need a way that can fail. */
export function testProviderFaults(
  name: string,
  provider: ProviderUnderTest,
): void {
  const { spec } = provider;
  const contract = (
    sentence: string,
    fn: (test: Setting, way: Way) => Promise<void>,
  ) =>
    providerTest(`${name}: ${sentence}`, provider, async () => {
      await using test = await set(provider);
      assert.ok(test.ground.way);
      await fn(test, test.ground.way);
    });

  contract(
    "ping() tells whether the infrastructure answers, and what does not",
    async ({ host }, way) => {
      assert.ok(host.ping);
      await host.ping(NEVER);
      await way.cut();
      await assert.rejects(host.ping(NEVER), /does not answer: ./);
      await way.mend();
      await host.ping(NEVER);
      way.stall();
      const asked = systemClock.monotonic();
      await assert.rejects(host.ping(NEVER), /does not answer: ./);
      assert.ok(systemClock.monotonic() - asked < PING_MS);
      await way.mend();
      await host.ping(NEVER);
    },
  );

  contract(
    "ping() is given up with the reason of its signal",
    async ({ host }, way) => {
      way.stall();
      const abort = new AbortController();
      const asking = host.ping?.(abort.signal);
      abort.abort(new Error("no longer wanted"));
      await assert.rejects(async () => await asking, /no longer wanted/);
      await way.mend();
    },
  );

  contract(
    "prepare() and start() fail while the infrastructure is away, and work again after",
    async ({ host, ground }, way) => {
      await way.cut();
      await assert.rejects(
        async () => await host.prepare?.(NEVER, spec()),
        /^Error: Cannot .*: ./,
      );
      await assert.rejects(
        host.start(spec(), "s", NEVER),
        /^Error: Cannot .*: ./,
      );
      await way.mend();
      await host.prepare?.(NEVER, spec());
      const browser = await host.start(spec(), "s", NEVER);
      await browser.stop(GRACE_MS);
      assert.deepEqual(await ground.left(), []);
    },
  );

  contract(
    "start() cut off at any moment leaves nothing once the infrastructure is back",
    async ({ host, ground }, way) => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: START_MS }),
          async (afterMs) => {
            const starting = host.start(spec(), crypto.randomUUID(), NEVER)
              .then((browser) => browser, () => undefined);
            await systemClock.sleep(afterMs);
            await way.cut();
            const mending = systemClock.sleep(START_MS).then(() => way.mend());
            const browser = await starting;
            await mending;
            await browser?.stop(0);
            await nothingLeft(ground);
          },
        ),
        { numRuns: CUT_STARTS, endOnFailure: true },
      );
    },
  );

  contract(
    "start() of an infrastructure that hangs is given up, and leaves nothing once that goes on",
    async ({ host, ground }, way) => {
      for (const isFirst of [true, false]) {
        const abort = new AbortController();
        const starting = host.start(spec(), "s", abort.signal);
        if (!isFirst) {
          await until(async () => (await ground.left()).length > 0);
        }
        way.stall();
        // As late as a deadline is, so that the engine has what it was sent.
        await systemClock.sleep(500);
        abort.abort(new Error("no longer wanted"));
        const aborted = systemClock.monotonic();
        await assert.rejects(starting, /no longer wanted/);
        assert.ok(systemClock.monotonic() - aborted < GIVE_UP_MS);
        await way.mend();
        await nothingLeft(ground);
      }
    },
  );

  contract(
    "a browser responds during an outage of the infrastructure, and its death is reported afterwards",
    async ({ host, ground }, way) => {
      const browser = await host.start(spec(), "s", NEVER);
      const ends: unknown[] = [];
      void browser.exited.then((end) => ends.push(end));
      await way.cut();
      await using client = await connectTo(browser);
      assert.match(await client.version(), /Chrome/);
      await way.mend();
      await host.ping?.(NEVER);
      assert.match(await client.version(), /Chrome/);
      await way.cut();
      await ground.kill(browser);
      assert.deepEqual(ends, []);
      await way.mend();
      const { reason, detail } = await browser.exited;
      assert.equal(reason, "crashed");
      assert.match(detail, /137.* away/);
      await browser.stop(0);
      assert.deepEqual(await ground.left(), []);
    },
  );

  contract(
    "exited tells of a browser that dies after the infrastructure was away",
    async ({ host, ground }, way) => {
      const browser = await host.start(spec(), "s", NEVER);
      await way.cut();
      await way.mend();
      // Longer than the pause between two checks.
      await systemClock.sleep(2_000);
      await ground.kill(browser);
      assert.deepEqual(await browser.exited, {
        reason: "crashed",
        detail: "killed (exit code 137)",
      });
      await browser.stop(0);
    },
  );

  contract(
    "stop() goes on when the infrastructure is back, and leaves nothing",
    async ({ host, ground }, way) => {
      for (const fail of [way.cut, () => Promise.resolve(way.stall())]) {
        const browser = await host.start(spec(), "s", NEVER);
        await fail();
        const stopping = browser.stop(GRACE_MS);
        await systemClock.sleep(1_000);
        assert.notDeepEqual(await ground.left(), []);
        await way.mend();
        await stopping;
        assert.deepEqual(await ground.left(), []);
        assert.equal((await browser.exited).reason, "stopped");
      }
    },
  );

  contract(
    "stop() cut off at any moment leaves nothing once the infrastructure is back",
    async ({ host, ground }, way) => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: 200 }),
          async (afterMs) => {
            const browser = await host.start(
              spec(),
              crypto.randomUUID(),
              NEVER,
            );
            const stopping = browser.stop(GRACE_MS);
            await systemClock.sleep(afterMs);
            await way.cut();
            await systemClock.sleep(100);
            await way.mend();
            await stopping;
            assert.deepEqual(await ground.left(), []);
          },
        ),
        { numRuns: CUT_STARTS, endOnFailure: true },
      );
    },
  );

  contract(
    "adopt() and sweep() fail while the infrastructure is away, and lose nothing",
    async ({ host, ground, owner }, way) => {
      const started = await host.start(spec(), "session-1", NEVER);
      await host[Symbol.asyncDispose]();
      const next = await ground.openHost(owner);
      await way.cut();
      await assert.rejects(next.adopt(), /^Error: Cannot .*: ./);
      await assert.rejects(next.sweep(new Set()), /^Error: Cannot .*: ./);
      await way.mend();
      const [browser] = await next.adopt();
      assert.equal(browser?.endpoint.href, started.endpoint.href);
      await browser?.stop(GRACE_MS);
      assert.deepEqual(await ground.left(), []);
    },
  );

  contract(
    "a slow infrastructure is waited for",
    async ({ host, ground, owner }, way) => {
      way.slow(SLOW_MS);
      await host.ping?.(NEVER);
      await host.prepare?.(NEVER, spec());
      await host.start(spec(), "session-1", NEVER);
      await host[Symbol.asyncDispose]();
      const next = await ground.openHost(owner);
      const [browser] = await next.adopt();
      assert.ok(browser);
      assert.ok((await browser.stats?.())?.memoryMb);
      await browser.stop(GRACE_MS);
      assert.equal((await browser.exited).reason, "stopped");
      assert.deepEqual(await ground.left(), []);
    },
  );

  contract(
    "a host whose infrastructure is away can be closed, and a later one ends what it left",
    async ({ host, ground, owner }, way) => {
      const browser = await host.start(spec(), "s", NEVER);
      await way.cut();
      const stopping = browser.stop(0);
      const closed = systemClock.monotonic();
      await Promise.all([
        assert.rejects(stopping, /Cannot remove/),
        host[Symbol.asyncDispose](),
      ]);
      assert.ok(systemClock.monotonic() - closed < GIVE_UP_MS);
      await way.mend();
      const next = await ground.openHost(owner);
      assert.deepEqual(await next.sweep(new Set()), ["s"]);
      assert.deepEqual(await ground.left(), []);
    },
  );
}
