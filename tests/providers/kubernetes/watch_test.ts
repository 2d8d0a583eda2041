import assert from "node:assert/strict";
import { browserSpec } from "../../support/browser_spec.ts";
import {
  clusterTest,
  openClusterScene,
} from "../../support/kubernetes/scene.ts";
import { NEVER, waitUntil } from "../../support/provider_machine.ts";

const LIST_OR_WATCH = /^(GET|WATCH) .*\/pods$/;

clusterTest(
  "one watch serves all browsers of a host, and continues after a break without another list",
  async () => {
    await using test = await openClusterScene();
    const { watches, requests } = test.cluster.server;
    const [one, other] = await Promise.all([
      test.host.start(browserSpec(), "one", NEVER),
      test.host.start(browserSpec(), "other", NEVER),
    ]);
    assert.equal(watches.count, 1);
    requests.length = 0;
    const opened = watches.opened;
    watches.break();
    await waitUntil(() => Promise.resolve(watches.opened > opened));
    await test.machine.kill(one);
    assert.match((await one.exited).detail, /^killed \(exit code 137\)/);
    assert.equal(requests.filter((line) => LIST_OR_WATCH.test(line)).length, 1);
    assert.equal(watches.count, 1);
    await Promise.all([one.stop(0), other.stop(0)]);
  },
);

clusterTest(
  "a watch whose version is gone begins with a list, which reports the end of a pod that it missed",
  async () => {
    await using test = await openClusterScene();
    const { server, store, nodes } = test.cluster;
    const browser = await test.host.start(browserSpec(), "s", NEVER);
    const opened = server.watches.opened;
    // No bookmark between the deletion and the compaction: the next watch is of a version before both.
    server.watches.break();
    nodes.delete(browser.details.pod ?? "", 0);
    store.compact();
    assert.deepEqual(await browser.exited, {
      reason: "crashed",
      detail: "the pod was deleted, while the Kubernetes API was away",
    });
    assert.equal(server.watches.expired, 1);
    await waitUntil(() => Promise.resolve(server.watches.opened > opened));
    await browser.stop(0);
  },
);

clusterTest(
  "bookmarks advance the version of a watch while its pods do not change",
  async () => {
    await using test = await openClusterScene();
    const { server, store } = test.cluster;
    const browser = await test.host.start(browserSpec(), "s", NEVER);
    // Changes of other objects, of which this watch sees none.
    store.create("events", "browsers", { metadata: { name: "other" } });
    store.compact();
    const { bookmarks } = server.watches;
    await waitUntil(() =>
      Promise.resolve(server.watches.bookmarks > bookmarks + 1)
    );
    const opened = server.watches.opened;
    server.requests.length = 0;
    server.watches.break();
    await waitUntil(() => Promise.resolve(server.watches.opened > opened));
    const reads = server.requests.filter((line) => LIST_OR_WATCH.test(line));
    assert.equal(reads.length, 1);
    assert.equal(server.watches.expired, 0);
    await browser.stop(0);
  },
);
