import assert from "node:assert/strict";
import { createFakeClock } from "../support/clock.ts";
import { readProblem } from "../support/read_problem.ts";
import { rawClient, readBytes } from "../support/raw_client.ts";
import { untilWaiting } from "../support/until_waiting.ts";
import { gatewayScene } from "./scene.ts";

const SECOND = 1_000;

/** Time between two heartbeats of the worker. */
const HEARTBEAT_SECONDS = 10;

/** Connects a client of `/v1/connect` whose browser delays its handshake until released, with a fake clock. */
async function slowScene() {
  const clock = createFakeClock();
  const requested = Promise.withResolvers<void>();
  const response = Promise.withResolvers<void>();
  const scene = await gatewayScene({
    grid: { clock },
    upstream: {
      onHandshake() {
        requested.resolve();
        return response.promise.then(() => true);
      },
    },
  });
  const { api, grid, upstream: { endpoint } } = scene;
  const workerId = await api.worker();
  const origin = grid.url.replace("http", "ws");
  const connecting = rawClient(`${origin}/v1/connect`);
  await untilWaiting();
  const claimed = await api.claim(workerId);
  assert.ok(claimed);
  await api.report(workerId, claimed, "running", { endpoint });
  await requested.promise;
  return {
    ...scene,
    connecting,
    sessionId: claimed.id,
    respond: response.resolve,
    /** Advances the clock while the worker holds the session. */
    async pass(seconds: number) {
      for (let left = seconds; left > 0; left -= HEARTBEAT_SECONDS) {
        clock.advance(Math.min(left, HEARTBEAT_SECONDS) * SECOND);
        await untilWaiting();
        await api.report(workerId, claimed, "running", { endpoint });
      }
    },
  };
}

Deno.test("a client waits for a new browser that takes most of the start timeout to respond", async () => {
  await using scene = await slowScene();
  await scene.pass(145);
  scene.respond();
  using client = await scene.connecting;
  assert.match(client.head, /^HTTP\/1\.1 101 /);
  client.socket.write("echo");
  const back = await readBytes(client.socket, 4);
  assert.equal(new TextDecoder().decode(back), "echo");
});

Deno.test("a client whose browser has not responded at the start deadline gets an error that allows a retry", async () => {
  await using scene = await slowScene();
  // The start timeout, and the lease within which a worker reports a start.
  await scene.pass(120 + 30);
  using client = await scene.connecting;
  const { status, code } = await readProblem(client);
  assert.deepEqual([status, code], [503, "worker_unreachable"]);
});

Deno.test("a client whose session ends during the wait for its browser gets session_ended", async () => {
  await using scene = await slowScene();
  await scene.api.call("DELETE", `/sessions/${scene.sessionId}?force=true`);
  using client = await scene.connecting;
  const { status, code } = await readProblem(client);
  assert.deepEqual([status, code], [410, "session_ended"]);
});
