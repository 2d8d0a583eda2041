import assert from "node:assert/strict";
import { eventually } from "../eventually.ts";
import type { OutputPart } from "../../../src/core/provider.ts";
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
      const { memoryMb = 0, cpuPercent = 0, ...counters } = await eventually(
        "the browser is measured",
        async () => {
          await page.evaluate(
            "{ const end = performance.now() + 400; while (performance.now() < end); }",
          );
          const stats = await browser.stats?.();
          // A busy engine may not have measured it.
          return stats?.memoryMb === undefined ? undefined : stats;
        },
      );
      assert.ok(memoryMb > 20 && memoryMb < 20_000, `${memoryMb} MB`);
      assert.ok(cpuPercent > 5 && cpuPercent < 6_400, `${cpuPercent} %`);
      for (const count of Object.values(counters)) {
        assert.ok(Number.isInteger(count) && count >= 0, String(count));
      }
      await browser.stop(GRACE_MS);
    },
  );

  contract(
    "followLogs() yields the last output, console messages of pages as they come, and ends with the browser",
    async () => {
      await using test = await openScene(provider);
      const browser = await test.host.start(spec(), "s", NEVER);
      const parts = browser.followLogs?.({ lines: 100, signal: NEVER });
      assert.ok(parts);
      await readUntil(parts, /DevTools listening on/);
      {
        await using client = await connectTo(browser);
        const page = await client.newPage();
        await page.evaluate("console.warn('a message of the page')");
        await readUntil(parts, /CONSOLE.*"a message of the page"/);
      }
      await browser.stop(GRACE_MS);
      await Array.fromAsync(parts);
    },
  );

  contract(
    "followLogs() yields the rest and ends when its signal is aborted",
    async () => {
      await using test = await openScene(provider);
      const browser = await test.host.start(spec(), "s", NEVER);
      const end = new AbortController();
      const parts = browser.followLogs?.({ lines: 1, signal: end.signal });
      assert.ok(parts);
      const { value } = await parts.next();
      assert.equal(value?.text.trim().split("\n").length, 1);
      end.abort();
      await Array.fromAsync(parts);
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

/** Reads parts until their text matches. */
async function readUntil(
  parts: AsyncGenerator<OutputPart, void>,
  pattern: RegExp,
): Promise<void> {
  for (let text = ""; !pattern.test(text);) {
    const { value } = await parts.next();
    assert.ok(value, `the output ended without ${pattern}:\n${text}`);
    text += value.text;
  }
}
