import assert from "node:assert/strict";
import { systemClock } from "../../../src/core/clock.ts";
import {
  browserSpec,
  containersOf,
  docker,
  dockerTest,
  runInContainer,
  testDockerHost,
} from "../../support/docker.ts";

const NEVER = new AbortController().signal;

dockerTest("exited tells of a browser that ran out of memory", async () => {
  await using test = await testDockerHost({ shm_size: "1G" });
  const spec = browserSpec({ memoryBytes: 400 * 2 ** 20 });
  const browser = await test.host.start(spec, "s", NEVER);
  const id = browser.details.container_id ?? "";
  // /dev/shm counts as memory and cannot be killed, so that the browser has to go.
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
  assert.deepEqual(await containersOf(test.gridId), []);
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

dockerTest("stop() is idempotent and leaves no container", async () => {
  await using test = await testDockerHost();
  const browser = await test.host.start(browserSpec(), "s", NEVER);
  await Promise.all([browser.stop(2_000), browser.stop(2_000)]);
  await browser.stop(0);
  assert.equal((await browser.exited).reason, "stopped");
  assert.deepEqual(await containersOf(test.gridId), []);
});

for (const afterMs of [0, 30, 80, 200, 450]) {
  dockerTest(
    `start() aborted after ${afterMs} ms leaves no container`,
    async () => {
      await using test = await testDockerHost();
      const abort = new AbortController();
      const starting = test.host.start(browserSpec(), "s", abort.signal);
      await systemClock.sleep(afterMs);
      abort.abort(new Error("no longer wanted"));
      // A machine may be fast enough to have started it by now.
      await starting.then(
        (browser) => browser.stop(0),
        (error) => assert.match(error.message, /no longer wanted/),
      );
      assert.deepEqual(await containersOf(test.gridId), []);
    },
  );
}

dockerTest(
  "start() of a browser that ends at once carries its last output",
  async () => {
    await using test = await testDockerHost({
      seccomp: "engine",
      sandbox: "on",
    });
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /Cannot start a container[^]*No usable sandbox/,
    );
    assert.deepEqual(await containersOf(test.gridId), []);
  },
);

dockerTest(
  "start() names the image made from the template when the engine lacks it",
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
  "start() of an image that cannot be pulled gives the engine's own words",
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
  "adopt() gives a worker's next process its browsers, and nobody else's",
  async () => {
    await using first = await testDockerHost();
    const started = await first.host.start(browserSpec(), "session-1", NEVER);
    await first.host[Symbol.asyncDispose]();
    await using other = await testDockerHost({}, {
      gridId: first.gridId,
      workerId: "worker-2",
    });
    assert.deepEqual(await other.host.adopt(), []);
    assert.deepEqual(await other.host.sweep(new Set()), []);
    await using second = await testDockerHost({}, { gridId: first.gridId });
    const [adopted] = await second.host.adopt();
    assert.equal(adopted?.sessionId, "session-1");
    assert.equal(adopted?.endpoint.href, started.endpoint.href);
    await adopted?.stop(2_000);
    assert.equal((await adopted?.exited)?.reason, "stopped");
  },
);

dockerTest(
  "sweep() ends what is not kept and tells which sessions that were",
  async () => {
    await using test = await testDockerHost();
    const [kept] = await Promise.all([
      test.host.start(browserSpec(), "kept", NEVER),
      test.host.start(browserSpec(), "dead", NEVER),
    ]);
    assert.deepEqual(await test.host.sweep(new Set(["kept"])), ["dead"]);
    assert.deepEqual(await containersOf(test.gridId), [
      kept.details.container_id,
    ]);
    await kept.stop(2_000);
  },
);
