import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createFakeClock } from "../../support/clock.ts";
import { untilWaiting } from "../../support/until_waiting.ts";
import { createTunnelOpener } from "../../../src/worker/tunnel/client.ts";
import { newProof } from "../../support/worker_proofs.ts";

/** A server that answers every request with `status`; counts them. */
async function answering(status: number) {
  let asked = 0;
  const server = createServer();
  server.on("upgrade", (_, socket) => {
    asked++;
    socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // A TCP server's address is never text.
  return {
    apiUrl: `http://127.0.0.1:${port}`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

/** Opens a tunnel there; returns how often it has asked at first, and after each of `pausesMs`. */
async function triesAt(
  status: number,
  pausesMs: readonly number[],
): Promise<readonly number[]> {
  await using server = await answering(status);
  const clock = createFakeClock();
  await using _tunnel = createTunnelOpener({ apiUrl: server.apiUrl })({
    workerId: crypto.randomUUID(),
    proof: newProof(),
    clock,
    findAddress: () => undefined,
  });
  const counts: number[] = [];
  for (const ms of [0, ...pausesMs]) {
    clock.advance(ms);
    await settled(server.asked);
    counts.push(server.asked());
  }
  return counts;
}

/** Resolves when nothing more is asked. */
async function settled(asked: () => number): Promise<void> {
  for (let before = -1; before !== asked();) {
    before = asked();
    await untilWaiting();
  }
}

Deno.test("a tunnel that a server cannot take now is tried again at once, then after pauses of up to five seconds", async () => {
  const tries = await triesAt(503, [0, 250, 5_000, 5_000]);
  assert.deepEqual(tries, [1, 2, 3, 4, 5]);
});

Deno.test("a tunnel that a server refuses is tried again after a minute", async () => {
  assert.deepEqual(await triesAt(404, [59_000, 1_000]), [1, 1, 2]);
});
