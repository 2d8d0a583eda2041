import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import { systemClock } from "../../../../src/async/clock.ts";
import { openEngine } from "../../../../src/providers/docker/engine/engine.ts";
import { pullImage } from "../../../../src/providers/docker/images/pull_image.ts";
import { browserSpec } from "../../../support/browser_spec.ts";
import { dockerTest, testDockerHost } from "../../../support/docker.ts";
import { startEngineProxy } from "../../../support/engine_proxy.ts";
import { LAYER_BYTES, startRegistry } from "../../../support/registry.ts";

const NEVER = new AbortController().signal;
const STALL_MS = 1_000;

/** Sends a tenth of the layer and no more. */
function sendTenth(response: ServerResponse): void {
  response.write(Buffer.alloc(LAYER_BYTES / 10));
}

dockerTest("pullImage() gives up a pull that gets nowhere", async () => {
  await using registry = await startRegistry(sendTenth);
  const engine = await openEngine({});
  const lines: string[] = [];
  await assert.rejects(
    pullImage(engine, registry.image, {
      onProgress: (line) => lines.push(line),
      signal: NEVER,
      stallMs: STALL_MS,
    }),
    /made no progress for 1 s/,
  );
  assert.equal(lines[0], `Pulling image ${registry.image}: 0 %`);
});

dockerTest("pullImage() waits for a pull that is slow", async () => {
  await using registry = await startRegistry(async (response) => {
    for (let sent = 0; sent < 10 && !response.closed; sent++) {
      response.write(Buffer.alloc(LAYER_BYTES / 10));
      await systemClock.sleep(STALL_MS / 4);
    }
    response.end();
  });
  const engine = await openEngine({});
  // The bytes do not match the digest, which the engine checks at the end.
  await assert.rejects(
    pullImage(engine, registry.image, {
      onProgress: () => {},
      signal: NEVER,
      stallMs: STALL_MS,
    }),
    /verification failed|unexpected/,
  );
});

dockerTest(
  "concurrent calls of prepare() share one pull, which continues when one of them is aborted",
  async () => {
    await using registry = await startRegistry(sendTenth);
    await using proxy = await startEngineProxy();
    await using test = await testDockerHost({
      image: registry.image,
      pull: "missing",
      docker_host: proxy.dockerHost,
    });
    const abort = new AbortController();
    const leaving = assert.rejects(
      async () => await test.host.prepare?.(abort.signal),
      /no longer wanted/,
    );
    const staying = assert.rejects(
      async () => await test.host.prepare?.(NEVER),
      /Cannot pull image/,
    );
    await registry.reached;
    abort.abort(new Error("no longer wanted"));
    await leaving;
    await proxy.cut();
    await staying;
    await proxy.mend();
    const pulls = proxy.requests.filter((line) => line.includes("/create"));
    assert.equal(pulls.length, 1, pulls.join());
  },
);

dockerTest(
  "start() reuses the image that prepare() has found",
  async () => {
    await using proxy = await startEngineProxy();
    await using test = await testDockerHost({ docker_host: proxy.dockerHost });
    await test.host.prepare?.(NEVER);
    assert.equal(proxy.requests.length, 1, proxy.requests.join());
    assert.match(proxy.requests[0] ?? "", /^GET \/images\//);
    const browser = await test.host.start(browserSpec(), "s", NEVER);
    await browser.stop(0);
    const again = proxy.requests.slice(1).filter((line) =>
      line.includes("/images/")
    );
    assert.deepEqual(again, []);
  },
);
