import assert from "node:assert/strict";
import { dirname } from "node:path";
import { browserSpec } from "../../support/browser_spec.ts";
import {
  clusterTest,
  openClusterScene,
} from "../../support/kubernetes/scene.ts";
import { NEVER, waitForNoResources } from "../../support/provider_machine.ts";
import { browserCdp } from "../../support/unix_cdp.ts";

const FORWARDED = { reach: "port_forward" } as const;

/** Length of a text that crosses the port-forward in both directions, in many messages. */
const LENGTH = 3_000_000;

clusterTest(
  "a browser is reached through the API server, at a socket that only this user can open",
  async () => {
    await using test = await openClusterScene(FORWARDED);
    const browser = await test.host.start(browserSpec(), "s", NEVER);
    const { socketPath = "" } = browser;
    const folder = await Deno.stat(dirname(socketPath));
    assert.equal((folder.mode ?? 0) & 0o777, 0o700);
    {
      await using one = await browserCdp(browser);
      await using other = await browserCdp(browser);
      const page = await one.page();
      const text = "x".repeat(LENGTH);
      const length = `(${JSON.stringify(text)} + "${text}").length`;
      assert.equal(await one.evaluate(page, length), String(2 * LENGTH));
      assert.equal(
        (await one.evaluate(page, `"y".repeat(${LENGTH})`)).length,
        LENGTH,
      );
      const { product } = await other.call("Browser.getVersion");
      assert.match(product, /Chrome\//);
    }
    await browser.probe?.(NEVER);
    await browser.stop(2_000);
    assert.equal((await browser.exited).reason, "stopped");
    await assert.rejects(Deno.stat(socketPath), Deno.errors.NotFound);
    await waitForNoResources(test.machine);
  },
);

clusterTest(
  "adopt() forwards to the browsers of an earlier process, and the sockets of a closed host are removed",
  async () => {
    await using test = await openClusterScene(FORWARDED);
    const started = await test.host.start(browserSpec(), "s", NEVER);
    await test.host[Symbol.asyncDispose]();
    await assert.rejects(
      Deno.stat(started.socketPath ?? ""),
      Deno.errors.NotFound,
    );
    const owner = { gridId: test.machine.gridId, workerId: "worker-1" };
    const next = await test.machine.openHost(owner, FORWARDED);
    const [browser] = await next.adopt();
    assert.ok(browser);
    {
      await using client = await browserCdp(browser);
      const { product } = await client.call("Browser.getVersion");
      assert.match(product, /Chrome\//);
    }
    await browser.stop(0);
    await waitForNoResources(test.machine);
  },
);

clusterTest(
  "start() whose port-forwards are forbidden fails in time and leaves no pod",
  async () => {
    await using test = await openClusterScene({
      ...FORWARDED,
      start_timeout_seconds: 2,
    });
    test.cluster.faults.denied.add("get pods/portforward");
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /the browser did not answer CDP/,
    );
    await waitForNoResources(test.machine);
  },
);
