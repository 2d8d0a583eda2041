import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer } from "node:http";
import { join } from "node:path";
import { readEngineResponse } from "../../../../src/providers/docker/engine/stream_response.ts";
import { openEngine } from "../../../../src/providers/docker/engine/engine.ts";

Deno.test("readEngineResponse() resolves after its connection is closed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "answer-" });
  const path = join(folder, "docker.sock");
  const server = createServer((_request, response) => response.end("whole"));
  server.listen(path);
  await once(server, "listening");
  try {
    const engine = await openEngine({ docker_host: `unix://${path}` });
    const { modem } = engine.docker;
    // The library's types leave out its agent.
    assert.ok("agent" in modem && modem.agent instanceof Agent);
    const text = await readEngineResponse(modem, {
      path: "/info",
      abortSignal: new AbortController().signal,
    });
    assert.equal(text, "whole");
    assert.deepEqual(Object.keys(modem.agent.sockets), []);
  } finally {
    server.close();
    await once(server, "close");
    await Deno.remove(folder, { recursive: true });
  }
});
