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
  declareProviderTest,
  type FaultyConnection,
  GRACE_MS,
  NEVER,
  openScene,
  type ProviderScene,
  type ProviderUnderTest,
  waitForNoResources,
  waitUntil,
} from "./provider_machine.ts";

/** Default number of starts and stops during which the connection is cut, each after a random time. */
const CUTS = 5;

/** Maximum time after which the connection is cut during a start. */
const START_MS = 600;

/** Maximum time of a ping to an infrastructure that hangs. */
const PING_MS = 5_000;

/** Timeout until an aborted start has ended. */
const GIVE_UP_MS = 15_000;

/** Delay of a slow connection. */
const SLOW_MS = 150;

/**
 * Declares the tests of the provider `name` that need a connection with faults.
 *
 * @param lacks Sentences of the contract that the provider does not keep, each with its reason.
 * @throws {TypeError} If a sentence is not part of the contract.
 */
export function testProviderFaults(
  name: string,
  provider: ProviderUnderTest,
  lacks: Readonly<Record<string, string>> = {},
): void {
  const { spec, interruptions: numRuns = CUTS } = provider;
  const left = new Set(Object.keys(lacks));
  const contract = (
    sentence: string,
    fn: (test: ProviderScene, connection: FaultyConnection) => Promise<void>,
  ) => {
    left.delete(sentence);
    const skip = provider.skip ?? lacks[sentence];
    const test = { ...provider, skip };
    declareProviderTest(`${name}: ${sentence}`, test, async () => {
      await using test = await openScene(provider);
      assert.ok(test.machine.connection);
      await fn(test, test.machine.connection);
    });
  };

  contract(
    "ping() reports whether the infrastructure responds, and what does not",
    async ({ host }, connection) => {
      assert.ok(host.ping);
      await host.ping(NEVER);
      await connection.cut();
      await assert.rejects(host.ping(NEVER), /does not answer: ./);
      await connection.mend();
      await host.ping(NEVER);
      connection.stall();
      const asked = systemClock.monotonic();
      await assert.rejects(host.ping(NEVER), /does not answer: ./);
      assert.ok(systemClock.monotonic() - asked < PING_MS);
      await connection.mend();
      await host.ping(NEVER);
    },
  );

  contract(
    "ping() rejects with the reason of its signal",
    async ({ host }, connection) => {
      connection.stall();
      const abort = new AbortController();
      const asking = host.ping?.(abort.signal);
      abort.abort(new Error("no longer wanted"));
      await assert.rejects(async () => await asking, /no longer wanted/);
      await connection.mend();
    },
  );

  contract(
    "prepare() and start() fail during an outage of the infrastructure, and work afterwards",
    async ({ host, machine }, connection) => {
      await connection.cut();
      if (host.prepare) {
        await assert.rejects(
          host.prepare(NEVER, spec()),
          /^Error: Cannot .*: ./,
        );
      }
      await assert.rejects(
        host.start(spec(), "s", NEVER),
        /^Error: Cannot .*: ./,
      );
      await connection.mend();
      await host.prepare?.(NEVER, spec());
      const browser = await host.start(spec(), "s", NEVER);
      await browser.stop(GRACE_MS);
      assert.deepEqual(await machine.listResources(), []);
    },
  );

  contract(
    "start() interrupted at any moment leaves no resources after the outage",
    async ({ host, machine }, connection) => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: START_MS }),
          async (afterMs) => {
            const starting = host.start(spec(), crypto.randomUUID(), NEVER)
              .then((browser) => browser, () => undefined);
            await systemClock.sleep(afterMs);
            await connection.cut();
            const mending = systemClock.sleep(START_MS).then(() =>
              connection.mend()
            );
            const browser = await starting;
            await mending;
            await browser?.stop(0);
            await waitForNoResources(machine);
          },
        ),
        { numRuns, endOnFailure: true },
      );
    },
  );

  contract(
    "start() on an infrastructure that hangs can be aborted, and leaves no resources when it continues",
    async ({ host, machine }, connection) => {
      for (const isFirst of [true, false]) {
        const abort = new AbortController();
        const starting = host.start(spec(), "s", abort.signal);
        if (!isFirst) {
          await waitUntil(async () =>
            (await machine.listResources()).length > 0
          );
        }
        connection.stall();
        // So late that the engine has received the request.
        await systemClock.sleep(500);
        abort.abort(new Error("no longer wanted"));
        const aborted = systemClock.monotonic();
        await assert.rejects(starting, /no longer wanted/);
        assert.ok(systemClock.monotonic() - aborted < GIVE_UP_MS);
        await connection.mend();
        await waitForNoResources(machine);
      }
    },
  );

  contract(
    "a browser responds during an outage of the infrastructure, and its death is reported afterwards",
    async ({ host, machine }, connection) => {
      const browser = await host.start(spec(), "s", NEVER);
      const ends: unknown[] = [];
      void browser.exited.then((end) => ends.push(end));
      await connection.cut();
      await using client = await connectTo(browser);
      assert.match(await client.version(), /Chrome/);
      await connection.mend();
      await host.ping?.(NEVER);
      assert.match(await client.version(), /Chrome/);
      await connection.cut();
      await machine.kill(browser);
      assert.deepEqual(ends, []);
      await connection.mend();
      const { reason, detail } = await browser.exited;
      assert.equal(reason, "crashed");
      assert.match(detail, /137.* away/);
      await browser.stop(0);
      assert.deepEqual(await machine.listResources(), []);
    },
  );

  contract(
    "exited reports the crash of a browser after an outage",
    async ({ host, machine }, connection) => {
      const browser = await host.start(spec(), "s", NEVER);
      await connection.cut();
      await connection.mend();
      // Longer than the pause between two checks.
      await systemClock.sleep(3_000);
      await machine.kill(browser);
      assert.deepEqual(await browser.exited, {
        reason: "crashed",
        detail: "killed (exit code 137)",
      });
      await browser.stop(0);
    },
  );

  contract(
    "stop() continues after an outage and leaves no resources",
    async ({ host, machine }, connection) => {
      for (
        const fail of [
          connection.cut,
          () => Promise.resolve(connection.stall()),
        ]
      ) {
        const browser = await host.start(spec(), "s", NEVER);
        await fail();
        const stopping = browser.stop(GRACE_MS);
        await systemClock.sleep(1_000);
        assert.notDeepEqual(await machine.listResources(), []);
        await connection.mend();
        await stopping;
        assert.deepEqual(await machine.listResources(), []);
        assert.equal((await browser.exited).reason, "stopped");
      }
    },
  );

  contract(
    "stop() interrupted at any moment leaves no resources after the outage",
    async ({ host, machine }, connection) => {
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
            await connection.cut();
            await systemClock.sleep(100);
            await connection.mend();
            await stopping;
            assert.deepEqual(await machine.listResources(), []);
          },
        ),
        { numRuns, endOnFailure: true },
      );
    },
  );

  contract(
    "adopt() and sweep() fail during an outage and lose no browser",
    async ({ host, machine, owner }, connection) => {
      const started = await host.start(spec(), "session-1", NEVER);
      await host[Symbol.asyncDispose]();
      const next = await machine.openHost(owner);
      await connection.cut();
      await assert.rejects(next.adopt(), /^Error: Cannot .*: ./);
      await assert.rejects(next.sweep(new Set()), /^Error: Cannot .*: ./);
      await connection.mend();
      const [browser] = await next.adopt();
      assert.equal(browser?.endpoint.href, started.endpoint.href);
      await browser?.stop(GRACE_MS);
      assert.deepEqual(await machine.listResources(), []);
    },
  );

  contract(
    "all operations succeed on a slow infrastructure",
    async ({ host, machine, owner }, connection) => {
      connection.slow(SLOW_MS);
      await host.ping?.(NEVER);
      await host.prepare?.(NEVER, spec());
      await host.start(spec(), "session-1", NEVER);
      await host[Symbol.asyncDispose]();
      const next = await machine.openHost(owner);
      const [browser] = await next.adopt();
      assert.ok(browser);
      if (browser.stats) assert.ok((await browser.stats()).memoryMb);
      await browser.stop(GRACE_MS);
      assert.equal((await browser.exited).reason, "stopped");
      assert.deepEqual(await machine.listResources(), []);
    },
  );

  contract(
    "a host can be closed during an outage, and a later one ends its browsers",
    async ({ host, machine, owner }, connection) => {
      const browser = await host.start(spec(), "s", NEVER);
      await connection.cut();
      const stopping = browser.stop(0);
      const closed = systemClock.monotonic();
      await Promise.all([
        assert.rejects(stopping, /Cannot remove/),
        host[Symbol.asyncDispose](),
      ]);
      assert.ok(systemClock.monotonic() - closed < GIVE_UP_MS);
      await connection.mend();
      const next = await machine.openHost(owner);
      assert.deepEqual(await next.sweep(new Set()), ["s"]);
      assert.deepEqual(await machine.listResources(), []);
    },
  );
  if (left.size > 0) {
    throw new TypeError(
      `Cannot skip "${
        [...left].join("; ")
      }": expected sentences of the contract`,
    );
  }
}
