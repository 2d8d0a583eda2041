import assert from "node:assert/strict";
import type { DeclareTest } from "./declare_test.ts";
import {
  connectTo,
  GRACE_MS,
  NEVER,
  openScene,
  type ProviderUnderTest,
} from "../provider_machine.ts";

/** Declares the tests of a worker's next process, and of its sweep. */
export function declareAdoptionTests(
  contract: DeclareTest,
  provider: ProviderUnderTest,
): void {
  const { spec } = provider;

  contract(
    "adopt() returns the browsers of a worker's earlier process, which respond and can be stopped",
    async () => {
      await using test = await openScene(provider);
      const started = await test.host.start(spec(), "session-1", NEVER);
      await test.host[Symbol.asyncDispose]();
      const next = await test.machine.openHost(test.owner);
      const adopted = await next.adopt();
      assert.deepEqual(adopted.map(({ sessionId }) => sessionId), [
        "session-1",
      ]);
      const [browser] = adopted;
      assert.ok(browser);
      assert.equal(browser.endpoint.href, started.endpoint.href);
      assert.deepEqual(
        Object.keys(browser.details).sort(),
        Object.keys(started.details).sort(),
      );
      await using client = await connectTo(browser);
      assert.match(await client.version(), /Chrome/);
      await browser.stop(GRACE_MS);
      assert.equal((await browser.exited).reason, "stopped");
      assert.deepEqual(await test.machine.listResources(), []);
      assert.deepEqual(await next.adopt(), []);
    },
  );

  contract(
    "stop() after the disposal of its host leaves no resources",
    async () => {
      await using test = await openScene(provider);
      const browser = await test.host.start(spec(), "s", NEVER);
      await test.host[Symbol.asyncDispose]();
      await browser.stop(0);
      assert.deepEqual(await test.machine.listResources(), []);
    },
  );

  contract("exited of an adopted browser reports its crash", async () => {
    await using test = await openScene(provider);
    await test.host.start(spec(), "session-1", NEVER);
    await test.host[Symbol.asyncDispose]();
    const next = await test.machine.openHost(test.owner);
    const [browser] = await next.adopt();
    assert.ok(browser);
    await test.machine.kill(browser);
    assert.equal((await browser.exited).reason, "crashed");
    await browser.stop(0);
    assert.deepEqual(await test.machine.listResources(), []);
  });

  contract(
    "adopt() and sweep() do not touch browsers of other workers and grids",
    async () => {
      await using test = await openScene(provider);
      const mine = await test.host.start(spec(), "mine", NEVER);
      const others = await Promise.all([
        test.machine.openHost({ ...test.owner, workerId: "worker-2" }),
        test.machine.openHost({ ...test.owner, gridId: crypto.randomUUID() }),
      ]);
      for (const other of others) {
        assert.deepEqual(await other.adopt(), []);
        assert.deepEqual(await other.sweep(new Set()), []);
      }
      await using client = await connectTo(mine);
      assert.match(await client.version(), /Chrome/);
      await mine.stop(GRACE_MS);
    },
  );

  contract(
    "sweep() ends the browsers that are not kept and returns their sessions",
    async () => {
      await using test = await openScene(provider);
      const [kept, dead] = await Promise.all([
        test.host.start(spec(), "kept", NEVER),
        test.host.start(spec(), "dead", NEVER),
      ]);
      assert.deepEqual(await test.host.sweep(new Set(["kept"])), ["dead"]);
      await dead.exited;
      await using client = await connectTo(kept);
      assert.match(await client.version(), /Chrome/);
      await kept.stop(GRACE_MS);
      assert.deepEqual(await test.machine.listResources(), []);
      await dead.stop(0);
      assert.deepEqual(await test.host.sweep(new Set()), []);
    },
  );
}
