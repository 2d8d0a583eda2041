/**
 * Ends of a session's container group, each with the resulting reason, and its output.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testAzureHost } from "../../support/azure/azure_host.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { docker, dockerTest } from "../../support/docker.ts";

const NEVER = new AbortController().signal;

dockerTest(
  "exited reports that the group vanished, was stopped, exceeded its memory, or died during an outage of Azure's API",
  async () => {
    await using test = await testAzureHost();
    const { azure, host } = test;
    const start = async (id: string) => {
      const browser = await host.start(browserSpec(), id, NEVER);
      const name = browser.details.container_group ?? "";
      return { browser, name, group: azure.groups.get(name) };
    };
    const vanished = await start("vanished");
    await azure.groups.vanish(vanished.name);
    assert.deepEqual(await vanished.browser.exited, {
      reason: "crashed",
      detail: "the container group was deleted",
    });

    const stopped = await start("stopped");
    stopped.group.isStopped = true;
    await stopped.group.container?.stop();
    assert.deepEqual(await stopped.browser.exited, {
      reason: "crashed",
      detail: "exit code 0, the container group was stopped",
    });

    const killed = await start("killed");
    killed.group.isOutOfMemory = true;
    await killed.group.container?.kill();
    assert.deepEqual(await killed.browser.exited, {
      reason: "crashed",
      detail: "killed by Azure: out of memory",
    });

    const unseen = await start("unseen");
    await azure.cut();
    await unseen.group.container?.kill();
    const ends: unknown[] = [];
    void unseen.browser.exited.then((end) => ends.push(end));
    // Its address may belong to no machine any more, so that a connection to it would hang.
    const late = AbortSignal.timeout(2_000);
    await assert.rejects(async () => await unseen.browser.probe?.(late));
    assert.deepEqual(ends, []);
    await azure.mend();
    assert.deepEqual(await unseen.browser.exited, {
      reason: "crashed",
      detail: "killed (exit code 137)",
    });
    for (const { browser } of [vanished, stopped, killed, unseen]) {
      await browser.stop(0);
    }
    assert.deepEqual(await azure.listResources(), []);
  },
);

dockerTest(
  "logs() returns the last lines, and adopt() the newest group of a session whose browser responds",
  async () => {
    await using test = await testAzureHost();
    const { azure, host } = test;
    const browser = await host.start(browserSpec(), "s", NEVER);
    assert.match(await browser.logs?.(100) ?? "", /DevTools listening on/);
    assert.equal((await browser.logs?.(1) ?? "").split("\n").length, 1);

    const dead = await host.start(browserSpec(), "dead", NEVER);
    await azure.groups.get(dead.details.container_group ?? "").container
      ?.kill();
    await dead.exited;
    const adopted = await host.adopt();
    assert.deepEqual(adopted.map(({ sessionId }) => sessionId), ["s"]);
    assert.deepEqual(await host.sweep(new Set(["s"])), ["dead"]);
    await browser.stop(0);
    const left = await docker.listContainers({
      all: true,
      filters: { label: [`browsergrid.test_azure=${azure.groups.serverId}`] },
    });
    assert.deepEqual(left, []);
  },
);

dockerTest(
  "sweep() and adopt() work while lists are late: missing groups are swept later, deleted ones are passed over",
  async () => {
    await using test = await testAzureHost();
    const { azure, host } = test;
    const browser = await host.start(browserSpec(), "new", NEVER);
    azure.groups.listLagMs = 60_000;
    assert.deepEqual(await host.sweep(new Set()), []);
    assert.deepEqual(await host.adopt(), []);
    azure.groups.listLagMs = 0;
    await browser.stop(0);
    azure.groups.listLagMs = 60_000;
    assert.deepEqual(await host.adopt(), []);
    assert.deepEqual(await host.sweep(new Set()), []);
    assert.deepEqual(await azure.listResources(), []);
  },
);
