import assert from "node:assert/strict";
import { systemClock } from "../../../src/async/clock.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { StatusError } from "../../support/kubernetes/objects.ts";
import {
  clusterTest,
  openClusterScene,
} from "../../support/kubernetes/scene.ts";
import {
  NEVER,
  waitForNoResources,
  waitUntil,
} from "../../support/provider_machine.ts";

const CREATE = /^POST .*\/pods$/;

clusterTest(
  "start() whose image cannot be pulled fails with the registry's reason",
  async () => {
    await using test = await openClusterScene();
    test.cluster.nodes.fate = {
      pullFailure: "failed to authorize: 401 Unauthorized",
    };
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /^Error: Cannot start a pod of image "browsergrid\/chromium:latest": image pull failed: ErrImagePull: failed to authorize: 401 Unauthorized$/,
    );
    await waitForNoResources(test.machine);
  },
);

clusterTest(
  "start() of a pod that gets no node fails with the scheduler's reason",
  async () => {
    await using test = await openClusterScene({ schedule_timeout_seconds: 1 });
    test.cluster.nodes.fate = {
      unschedulable: "0/3 nodes are available: 3 Insufficient memory.",
    };
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /did not start within 1 s: it has no node: Unschedulable: 0\/3 nodes are available: 3 Insufficient memory\.$/,
    );
    await waitForNoResources(test.machine);
  },
);

clusterTest(
  "start() that takes too long adds the cluster's last warning about the pod",
  async () => {
    await using test = await openClusterScene({ schedule_timeout_seconds: 1 });
    const { nodes, store } = test.cluster;
    nodes.fate = { unschedulable: "no volume" };
    const failing = assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /no volume \(FailedMount: secret "other" not found\)$/,
    );
    await waitUntil(() => Promise.resolve(store.list("pods").length === 1));
    const { name, uid } = store.list("pods")[0]?.metadata ?? {};
    for (const [at, type] of ["Warning", "Normal"].entries()) {
      store.create("events", "browsers", {
        metadata: { name: `event-${at}` },
        involvedObject: { kind: "Pod", name, uid },
        type,
        reason: "FailedMount",
        message: 'secret "other" not found',
        lastTimestamp: `2026-01-01T00:00:0${at}Z`,
      });
    }
    await failing;
  },
);

clusterTest(
  "start() of a pod that is scheduled late succeeds, and its start limit continues with the node",
  async () => {
    await using test = await openClusterScene({
      schedule_timeout_seconds: 2,
      start_timeout_seconds: 30,
    });
    test.cluster.nodes.fate = { scheduleMs: 1_000 };
    const browser = await test.host.start(browserSpec(), "s", NEVER);
    await browser.stop(0);
  },
);

clusterTest(
  "start() that the quota or the admission rejects fails with the cluster's message",
  async () => {
    await using test = await openClusterScene();
    test.cluster.faults.podProblem = () =>
      "exceeded quota: browsers, requested: pods=1, used: pods=9, limited: pods=9";
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /^Error: Cannot start a pod of .*: pods "browsergrid-s-\w+" is forbidden: exceeded quota: browsers, requested: pods=1, used: pods=9, limited: pods=9$/,
    );
    assert.deepEqual(await test.machine.listResources(), []);
  },
);

clusterTest(
  "start() whose browser ends at once fails with its exit code and output",
  async () => {
    // The default filter of the engine, as of runtimes, does not allow it.
    await using test = await openClusterScene({ sandbox: "on" });
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /its (pod|browser) ended: exit code \d+\n[^]*sandbox/i,
    );
    await waitForNoResources(test.machine);
  },
);

clusterTest(
  "start() repeats a request after 429 and Retry-After, and after 503",
  async () => {
    await using test = await openClusterScene();
    const { faults, server } = test.cluster;
    faults.fail(CREATE, new StatusError(429, "TooManyRequests", "slow", 1));
    faults.fail(CREATE, new StatusError(503, "ServiceUnavailable", "later"));
    const begun = systemClock.monotonic();
    const browser = await test.host.start(browserSpec(), "s", NEVER);
    assert.ok(systemClock.monotonic() - begun > 1_000);
    const creations = server.requests.filter((line) => CREATE.test(line));
    assert.equal(creations.length, 3);
    await browser.stop(0);
  },
);

clusterTest(
  "start() whose response is lost uses the pod that was created, and creates no second one",
  async () => {
    await using test = await openClusterScene();
    test.cluster.faults.fail(CREATE, "lost");
    const browser = await test.host.start(browserSpec(), "s", NEVER);
    assert.equal(test.cluster.store.list("pods").length, 1);
    await browser.stop(0);
    await waitForNoResources(test.machine);
  },
);

clusterTest(
  "start() repeats the creation of a pod and of its secret after a conflict, such as of a quota",
  async () => {
    await using test = await openClusterScene();
    const { faults, server, store } = test.cluster;
    const conflict = new StatusError(
      409,
      "Conflict",
      'Operation cannot be fulfilled on resourcequotas "q"',
    );
    const secret = /^POST .*\/secrets$/;
    faults.fail(CREATE, conflict, { times: 2 });
    faults.fail(secret, conflict);
    const spec = browserSpec({ environment: { A: "1" } });
    const browser = await test.host.start(spec, "s", NEVER);
    const count = (pattern: RegExp) =>
      server.requests.filter((line) => pattern.test(line)).length;
    assert.deepEqual([count(CREATE), count(secret)], [3, 2]);
    assert.equal(store.list("secrets").length, 1);
    await browser.stop(0);
    await waitForNoResources(test.machine);
  },
);

clusterTest(
  "start() that is rejected after a lost response removes the pod of that attempt",
  async () => {
    await using test = await openClusterScene();
    test.cluster.faults.fail(CREATE, "lost");
    test.cluster.faults.fail(
      CREATE,
      new StatusError(403, "Forbidden", "exceeded quota"),
    );
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /Cannot start a pod of .*: exceeded quota/,
    );
    await waitForNoResources(test.machine);
  },
);

clusterTest(
  "start() whose responses are all lost fails and leaves no pod",
  async () => {
    await using test = await openClusterScene();
    test.cluster.faults.fail(CREATE, "lost", { times: 3 });
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /Cannot start a pod/,
    );
    await waitForNoResources(test.machine);
  },
);

clusterTest(
  "start() whose secret cannot be created fails and leaves no pod",
  async () => {
    await using test = await openClusterScene();
    const status = new StatusError(403, "Forbidden", "secrets is forbidden");
    test.cluster.faults.fail(/^POST .*\/secrets$/, status);
    await assert.rejects(
      test.host.start(browserSpec({ environment: { A: "1" } }), "s", NEVER),
      /Cannot start a pod of .*: secrets is forbidden$/,
    );
    await waitForNoResources(test.machine);
  },
);

clusterTest(
  "start() aborted while its pod has no node removes the pod",
  async () => {
    await using test = await openClusterScene();
    test.cluster.nodes.fate = { unschedulable: "none" };
    const abort = new AbortController();
    const starting = test.host.start(browserSpec(), "s", abort.signal);
    await waitUntil(() =>
      Promise.resolve(test.cluster.store.list("pods").length === 1)
    );
    abort.abort(new Error("no longer wanted"));
    await assert.rejects(starting, /no longer wanted/);
    await waitForNoResources(test.machine);
  },
);

clusterTest(
  "start() with a rejected token fails without the token",
  async () => {
    await using test = await openClusterScene({ token: "planted-token-5" });
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      (error: unknown) => {
        assert.match(
          String(error),
          /Cannot list this worker's pods: Unauthorized/,
        );
        assert.ok(
          !Deno.inspect(error, { depth: 9 }).includes("planted-token-5"),
        );
        return true;
      },
    );
  },
);
