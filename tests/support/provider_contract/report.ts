import assert from "node:assert/strict";
import type { DeclareTest } from "./declare_test.ts";
import {
  connectTo,
  GRACE_MS,
  NEVER,
  openScene,
  type ProviderUnderTest,
} from "../provider_machine.ts";

/** Declares the tests of reports about a host and its browsers. */
export function declareReportTests(
  contract: DeclareTest,
  provider: ProviderUnderTest,
): void {
  const { spec } = provider;

  contract("revision() is stable while nothing changes", async () => {
    await using test = await openScene(provider);
    const ask = () => test.host.revision?.(spec(), NEVER);
    const first = await ask();
    assert.notEqual(first, "");
    assert.equal(await ask(), first);
  });

  contract(
    "logs() and stats() return output and resource use of the browser",
    async () => {
      await using test = await openScene(provider);
      const browser = await test.host.start(spec(), "s", NEVER);
      assert.match(await browser.logs?.(1_000) ?? "", /DevTools listening on/);
      const one = await browser.logs?.(1) ?? "";
      assert.equal(one.split("\n").length, 1);
      await browser.stats?.();
      await using client = await connectTo(browser);
      const page = await client.newPage();
      await page.evaluate(
        "{ const end = performance.now() + 400; while (performance.now() < end); }",
      );
      const { memoryMb = 0, cpuPercent = 0 } = await browser.stats?.() ?? {};
      assert.ok(memoryMb > 20 && memoryMb < 20_000, `${memoryMb} MB`);
      assert.ok(cpuPercent > 5 && cpuPercent < 6_400, `${cpuPercent} %`);
      await browser.stop(GRACE_MS);
    },
  );

  contract("probe() resolves while the browser responds", async () => {
    await using test = await openScene(provider);
    const browser = await test.host.start(spec(), "s", NEVER);
    assert.ok(browser.probe);
    await browser.probe(NEVER);
    await browser.stop(GRACE_MS);
    await assert.rejects(browser.probe(NEVER));
  });

  contract("check() reports that a browser can be started", async () => {
    await using test = await openScene(provider);
    const checks = await test.host.check();
    assert.ok(checks.length > 0);
    assert.deepEqual(
      checks.filter(({ status }) => status === "fail"),
      [],
    );
    for (const { name, detail } of checks) assert.ok(name && detail);
    assert.deepEqual(await test.machine.listResources(), []);
  });
}
