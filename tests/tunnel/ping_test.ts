import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { WebSocket } from "ws";
import { watchSocket } from "../../src/tunnel/ping.ts";
import { createFakeClock } from "../support/clock.ts";

/** Interval of the pings. */
const PING_MS = 20_000;

/** The part of a WebSocket that is watched. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly readyState: number;
  pings = 0;
  isTerminated = false;

  constructor(readyState: number) {
    super();
    this.readyState = readyState;
  }

  ping(): void {
    this.pings++;
  }

  terminate(): void {
    this.isTerminated = true;
  }
}

function watch(readyState = 1) {
  const clock = createFakeClock();
  const socket = new FakeSocket(readyState);
  const watching = watchSocket(socket as unknown as WebSocket, clock);
  return {
    socket,
    async pass(ms: number) {
      clock.advance(ms);
      // The loop continues in a microtask after its sleep.
      await new Promise((resolve) => setTimeout(resolve));
    },
    [Symbol.asyncDispose]: () => watching[Symbol.asyncDispose](),
  };
}

Deno.test("a socket that answers each ping stays open", async () => {
  await using scene = watch();
  const { socket } = scene;
  for (let at = 0; at < 5; at++) {
    await scene.pass(PING_MS);
    socket.emit("pong");
  }
  assert.ok(socket.pings >= 4, `${socket.pings}`);
  assert.ok(!socket.isTerminated);
});

Deno.test("a socket without a pong since the last ping is terminated", async () => {
  await using scene = watch();
  const { socket } = scene;
  await scene.pass(PING_MS);
  assert.ok(!socket.isTerminated);
  await scene.pass(PING_MS);
  await scene.pass(PING_MS);
  assert.ok(socket.isTerminated);
});

Deno.test("a socket that is not open yet is neither pinged nor terminated", async () => {
  const connecting = 0;
  await using scene = watch(connecting);
  const { socket } = scene;
  for (let at = 0; at < 3; at++) await scene.pass(PING_MS);
  assert.equal(socket.pings, 0);
  assert.ok(!socket.isTerminated);
});

Deno.test("disposal ends the pings", async () => {
  const scene = watch();
  await scene.pass(PING_MS);
  await scene[Symbol.asyncDispose]();
  const { pings } = scene.socket;
  await scene.pass(10 * PING_MS);
  assert.equal(scene.socket.pings, pings);
  assert.ok(!scene.socket.isTerminated);
});
