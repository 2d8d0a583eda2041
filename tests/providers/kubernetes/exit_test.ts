import assert from "node:assert/strict";
import type { RunningBrowser } from "../../../src/core/provider.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import {
  type ClusterScene,
  clusterTest,
  openClusterScene,
} from "../../support/kubernetes/scene.ts";
import { NEVER, waitForNoResources } from "../../support/provider_machine.ts";

/** A fault of a running pod, and the reported end of its browser. */
interface EndCase {
  readonly fault: string;
  inject(test: ClusterScene, pod: string): Promise<void> | void;
  readonly expected: RegExp;
}

const ENDS: readonly EndCase[] = [
  {
    fault: "exceeds its memory",
    inject: ({ cluster }, pod) => cluster.nodes.find(pod).end("OOMKilled"),
    expected: /^killed by the kubelet: out of memory \(OOMKilled\)$/,
  },
  {
    fault: "is evicted",
    inject: ({ cluster }, pod) =>
      cluster.nodes.find(pod).end(
        "Evicted",
        "The node was low on resource: memory.",
      ),
    expected: /^evicted: The node was low on resource: memory\.$/,
  },
  {
    fault: "has its node lost",
    inject: ({ cluster }, pod) => cluster.nodes.find(pod).loseNode(),
    expected:
      /^node node-1 lost: Taint manager: deleting due to NoExecute taint$/,
  },
  {
    fault: "is deleted by someone else",
    inject: ({ cluster }, pod) => cluster.nodes.delete(pod, 1),
    expected: /^the pod was deleted/,
  },
  {
    fault: "is shut down with its node",
    inject: ({ cluster }, pod) =>
      cluster.nodes.find(pod).end(
        "Terminated",
        "Pod was terminated in response to imminent node shutdown.",
      ),
    expected:
      /^Terminated: Pod was terminated in response to imminent node shutdown\.$/,
  },
];

clusterTest(
  "exited of a browser reports the cluster's reason for the end of its pod",
  async () => {
    await using test = await openClusterScene();
    // At once: most of the time is the start of browsers.
    await Promise.all(ENDS.map(async ({ fault, inject, expected }) => {
      const sessionId = fault.replaceAll(" ", "-").replaceAll("'", "");
      const browser = await test.host.start(browserSpec(), sessionId, NEVER);
      await inject(test, podName(browser));
      const { reason, detail } = await browser.exited;
      assert.equal(reason, "crashed", fault);
      assert.match(detail, expected, fault);
      // The node of a lost pod confirms nothing, and stop() does not wait for it.
      await browser.stop(0);
    }));
    await waitForNoResources(test.machine);
  },
);

clusterTest(
  "exited of a browser whose active deadline is over says so, and its pod remains for the sweep",
  async () => {
    await using test = await openClusterScene({ active_deadline_seconds: 60 });
    const browser = await test.host.start(browserSpec(), "s", NEVER);
    const [pod] = test.cluster.store.list("pods");
    assert.equal(pod?.spec.activeDeadlineSeconds, 60);
    await test.cluster.nodes.find(podName(browser)).end(
      "DeadlineExceeded",
      "Pod was active on the node longer than the specified deadline",
    );
    assert.deepEqual(await browser.exited, {
      reason: "crashed",
      detail:
        "its active deadline is over: Pod was active on the node longer than the specified deadline",
    });
    assert.deepEqual(await test.host.adopt(), []);
    assert.deepEqual(await test.host.sweep(new Set()), ["s"]);
    await waitForNoResources(test.machine);
  },
);

function podName({ details }: RunningBrowser): string {
  return details.pod ?? "";
}
