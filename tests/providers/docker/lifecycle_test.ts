import assert from "node:assert/strict";
import { waitForCdp } from "../../../src/providers/kit/wait_for_cdp.ts";
import { systemClock } from "../../../src/async/clock.ts";
import { deadline } from "../../../src/async/deadline.ts";
import { dockerConfigSchema } from "../../../src/providers/docker/config.ts";
import { createContainerOptions } from "../../../src/providers/docker/container/options.ts";
import { openEngine } from "../../../src/providers/docker/engine/engine.ts";
import { inspectEngine } from "../../../src/providers/docker/engine/environment.ts";
import { SECCOMP_PROFILE } from "../../../src/providers/docker/container/seccomp.ts";
import { findCdpAddress } from "../../../src/providers/docker/container/start.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import {
  docker,
  dockerTest,
  listContainers,
  runInContainer,
  signalInContainer,
  TEST_IMAGE,
  testDockerHost,
} from "../../support/docker.ts";
import { eventually } from "../../support/eventually.ts";

const NEVER = new AbortController().signal;

/** Succeeds while there are defunct processes or a `sleep`. The engine's list omits defunct processes. */
const LEFT =
  'cat /proc/[0-9]*/status 2>/dev/null | grep -Eq "^Name:.sleep|^State:.Z"';

dockerTest(
  "a probe detects stopped and ended zygotes and pages in a container, and a stopped container",
  async () => {
    await using test = await testDockerHost();
    const browser = await test.host.start(browserSpec(), "s", NEVER);
    const id = browser.details["container_id"] ?? "";
    const probe = async (signal = NEVER) => await browser.probe?.(signal);
    const saysThen = (words: RegExp) =>
      eventually(
        `a probe says ${words}`,
        async () => words.test(await probe().then(() => "none", String)),
      );
    await probe();
    await signalInContainer(id, "renderer", "STOP");
    await saysThen(/all its page processes are stopped/);
    await signalInContainer(id, "renderer", "CONT");
    await saysThen(/^none$/);
    await signalInContainer(id, "zygote", "STOP");
    await saysThen(/a zygote process is stopped/);
    await signalInContainer(id, "zygote", "CONT");
    await saysThen(/^none$/);
    await signalInContainer(id, "zygote", "KILL");
    await saysThen(/a zygote process has ended/);
    await docker.getContainer(id).pause();
    using patience = deadline(systemClock, 1_000);
    const { signal } = patience;
    await assert.rejects(probe(signal), (error) => error === signal.reason);
    await browser.stop(0);
    assert.deepEqual(await listContainers(test.gridId), []);
  },
);

dockerTest(
  "the image, as process 1 without an init, reaps closed pages and orphans",
  async () => {
    const config = dockerConfigSchema.parse({});
    const engine = await inspectEngine(await openEngine(config));
    const container = await docker.createContainer(createContainerOptions(
      browserSpec(),
      config,
      {
        ...engine,
        ...{ image: TEST_IMAGE, isProjectImage: true, init: false },
        ...{ network: "bridge", publishOn: "127.0.0.1" },
        ...{ labels: {}, gridAddresses: [], seccompProfile: SECCOMP_PROFILE },
      },
    ));
    try {
      await container.start();
      const address = findCdpAddress(await container.inspect(), "127.0.0.1");
      await waitForCdp(address, { timeoutMs: 30_000, signal: NEVER });
      for (let page = 0; page < 5; page++) {
        const url = new URL(`/json/new?data:text/html,${page}`, address);
        const { id } = await (await fetch(url, { method: "PUT" })).json();
        await (await fetch(new URL(`/json/close/${id}`, address))).text();
      }
      // Its parent ends first, so that process 1 becomes its parent.
      await runInContainer(container.id, "sh", "-c", "sleep 0.3 &");
      await eventually(
        "no process is defunct",
        async () => await runInContainer(container.id, "sh", "-c", LEFT) === 1,
      );
    } finally {
      await container.remove({ force: true });
    }
  },
);

dockerTest("exited tells of a browser that ran out of memory", async () => {
  await using test = await testDockerHost({ shm_size: "1G" });
  const spec = browserSpec({ memoryBytes: 400 * 2 ** 20 });
  const browser = await test.host.start(spec, "s", NEVER);
  const id = browser.details.container_id ?? "";
  // /dev/shm counts as memory and cannot be killed, so that the kernel kills the browser.
  void runInContainer(id, "sh", "-c", "cat /dev/zero > /dev/shm/full").catch(
    () => {},
  );
  void runInContainer(id, "sh", "-c", "cat /dev/zero > /dev/shm/more").catch(
    () => {},
  );
  assert.deepEqual(await browser.exited, {
    reason: "crashed",
    detail: "killed by the engine: out of memory",
  });
  await browser.stop(0);
  assert.deepEqual(await listContainers(test.gridId), []);
});

dockerTest("exited tells of a container that somebody removed", async () => {
  await using test = await testDockerHost();
  const browser = await test.host.start(browserSpec(), "s", NEVER);
  await docker.getContainer(browser.details.container_id ?? "").remove({
    force: true,
  });
  assert.equal((await browser.exited).reason, "crashed");
  await browser.stop(0);
});

dockerTest(
  "start() of a browser that ends immediately rejects with its last output",
  async () => {
    await using test = await testDockerHost({
      seccomp: "engine",
      sandbox: "on",
    });
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /Cannot start a container[^]*No usable sandbox/,
    );
    assert.deepEqual(await listContainers(test.gridId), []);
  },
);

dockerTest(
  "start() names the expanded image that the engine does not have",
  async () => {
    await using test = await testDockerHost({
      image: "browsergrid/{browser}-test:{version}",
    });
    await assert.rejects(
      test.host.start(
        browserSpec({ browser: "chrome", version: "126" }),
        "s",
        NEVER,
      ),
      /Cannot use image "browsergrid\/chrome-test:126"/,
    );
  },
);

dockerTest(
  "start() of an image that cannot be pulled rejects with the engine's message",
  async () => {
    await using test = await testDockerHost({
      image: "127.0.0.1:1/nothing",
      pull: "missing",
    });
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /Cannot pull image "127.0.0.1:1\/nothing": .*connection refused/,
    );
  },
);

dockerTest(
  "start() removes the container of an earlier process for the same session",
  async () => {
    await using first = await testDockerHost();
    const { gridId, host } = first;
    const left = await host.start(browserSpec(), "s", NEVER);
    await using next = await testDockerHost({}, { gridId });
    const browser = await next.host.start(browserSpec(), "s", NEVER);
    assert.deepEqual(await listContainers(gridId), [
      browser.details.container_id,
    ]);
    assert.notEqual(left.details.container_id, browser.details.container_id);
  },
);
