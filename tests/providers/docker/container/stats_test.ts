import assert from "node:assert/strict";
import Docker from "dockerode";
import { ContainerBrowser } from "../../../../src/providers/docker/container/container.ts";
import { ContainerReaper } from "../../../../src/providers/docker/container/reaper.ts";
import { isMeasured } from "../../../../src/providers/docker/container/stats.ts";

const SAMPLE = {
  read: new Date(0).toJSON(),
  cpu_stats: { cpu_usage: { total_usage: 0 } },
  memory_stats: { usage: 2 ** 20 },
};

Deno.test("at most 8 statistics of containers are requested at the same time, and all in turn", async () => {
  let open = 0;
  let most = 0;
  let requests = 0;
  const wave = Promise.withResolvers<void>();
  await using engine = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async () => {
      requests++;
      most = Math.max(most, ++open);
      if (open === 8) wave.resolve();
      await wave.promise;
      open--;
      return Response.json(SAMPLE);
    },
  );
  const { hostname: host, port } = engine.addr;
  const docker = new Docker({ host, port });
  const container = docker.getContainer("c");
  const reaper = new ContainerReaper(
    { docker, host, address: `http://${host}:${port}` },
    AbortSignal.abort(),
  );
  const browser = new ContainerBrowser({
    sessionId: "s",
    container,
    endpoint: new URL("ws://127.0.0.1/"),
    details: {},
    startedAt: 0,
    reaper,
    closed: AbortSignal.abort(),
  });
  const all = await Promise.all(
    Array.from({ length: 30 }, () => browser.stats()),
  );
  assert.ok(all.every(({ memoryMb }) => memoryMb === 1));
  assert.equal(requests, 30);
  assert.equal(most, 8);
});

Deno.test("a sample without values, as of a busy engine, is no measurement", () => {
  const toSample = (memory: unknown): Docker.ContainerStats =>
    JSON.parse(JSON.stringify({ ...SAMPLE, memory_stats: memory }));
  assert.ok(isMeasured(toSample({ usage: 1 })));
  assert.ok(!isMeasured(toSample({})));
});
