/**
 * Faults of Azure during the start of a session's container group, each with the resulting error. Real Chromium runs
 * where a start succeeds.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../src/async/clock.ts";
import { reject } from "../../support/azure/groups.ts";
import { testAzureHost } from "../../support/azure/azure_host.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { dockerTest } from "../../support/docker.ts";
import { waitUntil } from "../../support/provider_machine.ts";

const NEVER = new AbortController().signal;

const PUT = /^PUT .*\/containerGroups\//;

const READ = /^GET .*\/containerGroups\/[^/]+$/;

const SOON = { "retry-after-ms": "10" };

dockerTest(
  "start() repeats a creation after 429, 409, 503 and 500, as Retry-After asks",
  async () => {
    await using test = await testAzureHost();
    const { azure, host } = test;
    for (
      const [status, code] of [
        [429, "TooManyRequests"],
        [409, "ContainerGroupTransitioning"],
        [503, "ServerTimeout"],
        [500, "InternalServerError"],
      ] as const
    ) {
      azure.reject(PUT, { ...reject(status, code, "later"), headers: SOON });
    }
    const browser = await host.start(browserSpec(), "s", NEVER);
    assert.equal(azure.requests.filter((line) => PUT.test(line)).length, 5);
    await browser.stop(0);
  },
);

dockerTest(
  "start() whose response to the creation is lost finds the group by its name",
  async () => {
    await using test = await testAzureHost();
    const lost = test.azure.loseResponse(PUT);
    const browser = await test.host.start(browserSpec(), "s", NEVER);
    await lost;
    assert.equal(test.azure.groups.names.length, 1);
    // The runtime may repeat the request on its own.
    const puts = test.azure.requests.filter((line) => PUT.test(line));
    assert.equal(new Set(puts).size, 1);
    await browser.stop(0);
    assert.deepEqual(await test.azure.listResources(), []);
  },
);

dockerTest(
  "start() aborted while Azure does not respond to the creation removes the group afterwards",
  async () => {
    await using test = await testAzureHost();
    const abort = new AbortController();
    test.azure.reject(/^GET .*containerGroups$/, {
      status: 200,
      body: { value: [] },
    });
    const starting = assert.rejects(
      test.host.start(browserSpec(), "s", abort.signal),
      /no longer wanted/,
    );
    await waitUntil(() =>
      Promise.resolve(test.azure.requests.some((line) => PUT.test(line)))
    );
    test.azure.stall();
    abort.abort(new Error("no longer wanted"));
    await test.azure.mend();
    await starting;
    await waitUntil(async () =>
      (await test.azure.listResources()).length === 0
    );
  },
);

const REJECTIONS = [
  {
    what: "a subscription that is not registered",
    reply: reject(
      409,
      "MissingSubscriptionRegistration",
      "The subscription is not registered",
    ),
    expected: /409 MissingSubscriptionRegistration .*az provider register/,
  },
  {
    what: "a quota that is used up",
    reply: reject(
      400,
      "ContainerGroupQuotaReached",
      "Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota 'StandardCores' exceeded in region 'westeurope'. Limit: '10', Usage: '10' Requested: '1'.",
    ),
    expected:
      /responds with 400 ContainerGroupQuotaReached .*Limit: '10'.*expected room in the quota/,
  },
  {
    what: "a role that is missing",
    reply: reject(403, "AuthorizationFailed", "The client has no permission"),
    expected:
      /responds with 403 AuthorizationFailed The client has no .*expected a role/,
  },
  {
    what: "an image that Azure cannot read",
    reply: reject(
      400,
      "InaccessibleImage",
      "The image is not accessible. Please check the image and registry credential.",
    ),
    expected: /400 InaccessibleImage .*expected an image that Azure can pull/,
  },
  {
    what: "a rate limit that lasts longer than the start may take",
    reply: {
      ...reject(429, "TooManyRequests", "The limit of 300 an hour is reached"),
      headers: { "retry-after": "3000" },
    },
    expected: /429 TooManyRequests The limit of 300/,
  },
];

for (const { what, reply, expected } of REJECTIONS) {
  dockerTest(`start() reports ${what}, with the words of Azure`, async () => {
    await using test = await testAzureHost();
    test.azure.reject(PUT, reply, 9);
    const started = systemClock.monotonic();
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      (error: Error) => {
        assert.match(error.message, /^Cannot start a container group of image/);
        assert.match(error.message, expected);
        return true;
      },
    );
    assert.ok(systemClock.monotonic() - started < 5_000);
    assert.deepEqual(await test.azure.listResources(), []);
  });
}

dockerTest(
  "start() ends at its time limit if Azure is slow, and says what the group waits for",
  async () => {
    await using test = await testAzureHost({ start_timeout_seconds: 1 });
    const { groups } = test.azure;
    const slow = Promise.withResolvers<void>();
    groups.provisioning = slow.promise;
    groups.pendingEvents = [{
      type: "Warning",
      name: "Pulling",
      message: "waiting for a node",
    }];
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /Cannot start a container group .*did not run within 1 s: waiting for a node/,
    );
    slow.resolve();
    await waitUntil(async () =>
      (await test.azure.listResources()).length === 0
    );
  },
);

dockerTest(
  "start() reports an image that cannot be pulled, with the event of Azure",
  async () => {
    await using test = await testAzureHost({
      image: "registry.example.test/none:1",
    });
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /its container group ended: provisioning Failed: Failed to pull image "registry.example.test\/none:1"/,
    );
    assert.deepEqual(await test.azure.listResources(), []);
  },
);

dockerTest(
  "start() of a browser that ends at once contains its last output and exit code",
  async () => {
    await using test = await testAzureHost({ image: "debian:bookworm-slim" });
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /container group ended: exit code \d+\n.*browsergrid-entrypoint/s,
    );
    assert.deepEqual(await test.azure.listResources(), []);
  },
);

dockerTest(
  "start() reports a group that vanishes while it starts",
  async () => {
    await using test = await testAzureHost();
    const { groups } = test.azure;
    const slow = Promise.withResolvers<void>();
    groups.provisioning = slow.promise;
    const starting = assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /its container group ended: the container group was deleted/,
    );
    await waitUntil(() =>
      Promise.resolve(READ.test(test.azure.requests.at(-1) ?? ""))
    );
    for (const name of groups.names) await groups.vanish(name);
    slow.resolve();
    await starting;
    assert.deepEqual(await test.azure.listResources(), []);
  },
);

dockerTest(
  "start() of a session removes the groups that an earlier process has left for it",
  async () => {
    await using test = await testAzureHost();
    const one = await test.host.start(browserSpec(), "s", NEVER);
    const two = await test.host.start(browserSpec(), "s", NEVER);
    assert.deepEqual(test.azure.groups.names, [two.details.container_group]);
    assert.notEqual(one.details.container_group, two.details.container_group);
    await two.stop(0);
  },
);

dockerTest(
  "start() rejects what a container group cannot do, and a worker of unit worker",
  async () => {
    await using test = await testAzureHost();
    const egress = { mode: "none", allow: [], pool: "p" } as const;
    await assert.rejects(
      test.host.start(browserSpec({ egress }), "s", NEVER),
      /Cannot start a browser in Azure: it cannot limit egress to "none"/,
    );
    await using other = await testAzureHost({ unit: "worker" });
    await assert.rejects(
      other.host.start(browserSpec(), "s", NEVER),
      /from this worker: the pool has unit "worker"/,
    );
    assert.deepEqual(test.azure.requests, []);
  },
);
