import assert from "node:assert/strict";
import { systemClock } from "../../../src/async/clock.ts";
import { openEngine } from "../../../src/providers/docker/engine/engine.ts";
import { ContainerReaper } from "../../../src/providers/docker/container/reaper.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import {
  docker,
  dockerTest,
  listContainers,
  TEST_IMAGE,
  testDockerHost,
} from "../../support/docker.ts";
import { startEngineProxy } from "../../support/engine_proxy.ts";
import { waitUntil } from "../../support/provider_machine.ts";

const NEVER = new AbortController().signal;

for (const request of [/\/containers\/create/, /\/containers\/\w+\/start/]) {
  dockerTest(
    `start() whose answer to ${request} is lost leaves nothing when the engine is back`,
    async () => {
      await using proxy = await startEngineProxy();
      await using test = await testDockerHost({
        docker_host: proxy.dockerHost,
      });
      const answered = proxy.answerLost(request);
      const failing = assert.rejects(
        test.host.start(browserSpec(), "s", NEVER),
        /Cannot start a container/,
      );
      await answered;
      assert.equal((await listContainers(test.gridId)).length, 1);
      await proxy.cut();
      await proxy.mend();
      await failing;
      await waitUntil(async () =>
        (await listContainers(test.gridId)).length === 0
      );
    },
  );
}

dockerTest(
  "start() aborted during the creation of its container removes it, although the engine does not respond",
  async () => {
    await using proxy = await startEngineProxy();
    await using test = await testDockerHost({ docker_host: proxy.dockerHost });
    const abort = new AbortController();
    const answered = proxy.answerLost(/\/containers\/create/);
    const failing = assert.rejects(
      test.host.start(browserSpec(), "s", abort.signal),
      /no longer wanted/,
    );
    await answered;
    assert.equal((await listContainers(test.gridId)).length, 1);
    abort.abort(new Error("no longer wanted"));
    await failing;
    await waitUntil(async () =>
      (await listContainers(test.gridId)).length === 0
    );
  },
);

dockerTest(
  "sweep() removes containers in any state, except those of kept sessions",
  async () => {
    await using test = await testDockerHost();
    const container = async (sessionId: string) =>
      await docker.createContainer({
        Image: TEST_IMAGE,
        Entrypoint: ["sleep", "60"],
        Labels: {
          "browsergrid.grid_id": test.gridId,
          "browsergrid.worker_id": "worker-1",
          "browsergrid.session_id": sessionId,
        },
      });
    await container("created");
    await container("kept");
    const paused = await container("paused");
    await paused.start();
    await paused.pause();
    const exited = await container("exited");
    await exited.start();
    await exited.kill();
    const ended = await test.host.sweep(new Set(["kept"]));
    assert.deepEqual([...ended].sort(), ["created", "exited", "paused"]);
    assert.equal((await listContainers(test.gridId)).length, 1);
  },
);

dockerTest(
  "adopt() returns the newest container of a session and removes the others",
  async () => {
    await using test = await testDockerHost();
    const older = await test.host.start(browserSpec(), "s", NEVER);
    // The engine reports the creation of containers in whole seconds.
    await systemClock.sleep(1_000);
    const newer = await test.host.start(browserSpec(), "s", NEVER);
    await using next = await testDockerHost({}, { gridId: test.gridId });
    const adopted = await next.host.adopt();
    assert.deepEqual(adopted.map(({ endpoint }) => endpoint.href), [
      newer.endpoint.href,
    ]);
    await older.exited;
    await waitUntil(async () =>
      (await listContainers(test.gridId)).length === 1
    );
    await adopted[0]?.stop(0);
  },
);

dockerTest(
  "adopt() leaves a stopped container to sweep()",
  async () => {
    await using test = await testDockerHost();
    const browser = await test.host.start(browserSpec(), "s", NEVER);
    await docker.getContainer(browser.details.container_id ?? "").kill();
    await browser.exited;
    assert.deepEqual(await test.host.adopt(), []);
    assert.deepEqual(await test.host.sweep(new Set()), ["s"]);
  },
);

dockerTest(
  "exited does not report a browser as closed if the engine has stopped it",
  async () => {
    await using test = await testDockerHost();
    const browser = await test.host.start(browserSpec(), "s", NEVER);
    await docker.getContainer(browser.details.container_id ?? "").stop();
    assert.deepEqual(await browser.exited, {
      reason: "crashed",
      detail: "exit code 0, ended by the Docker engine",
    });
    await browser.stop(0);
  },
);

dockerTest(
  "ContainerReaper.remove() rejects in time with the reason, and continues until the container is removed",
  async () => {
    await using proxy = await startEngineProxy();
    const { id } = await docker.createContainer({ Image: TEST_IMAGE });
    const removals = new ContainerReaper(
      await openEngine({ docker_host: proxy.dockerHost }),
      NEVER,
    );
    await proxy.cut();
    await assert.rejects(removals.remove(id, 300), /Cannot remove.*ENOENT/);
    await assert.rejects(removals.remove(id, 300), /The removal is retried/);
    await proxy.mend();
    await removals.remove(id, 10_000);
    await assert.rejects(
      docker.getContainer(id).inspect(),
      /no such container/,
    );
    assert.equal(
      proxy.requests.filter((line) => line.startsWith("DELETE")).length,
      1,
    );
  },
);

dockerTest(
  "check() ends and leaves no resources if the engine becomes unavailable during it",
  async () => {
    await using proxy = await startEngineProxy();
    await using test = await testDockerHost({ docker_host: proxy.dockerHost });
    const probes = () =>
      docker.listContainers({
        all: true,
        filters: { name: ["browsergrid-check-"] },
      });
    const answered = proxy.answerLost(
      /\/containers\/create\?name=browsergrid-check/,
    );
    const failing = assert.rejects(test.host.check());
    await answered;
    await proxy.cut();
    await proxy.mend();
    await failing;
    await waitUntil(async () => (await probes()).length === 0);
  },
);
