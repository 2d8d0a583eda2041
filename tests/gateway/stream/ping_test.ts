import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import fc from "fast-check";
import { WebSocket } from "ws";
import { FrameFollower } from "../../../src/gateway/stream/frame_follower.ts";
import { CLOSE_REASONS } from "../../../src/gateway/stream/close_frame.ts";
import { supportsPings } from "../../../src/gateway/stream/ping.ts";
import { Splice } from "../../../src/gateway/stream/splice.ts";
import { reconcileOnce } from "../../../src/reconciler/reconciler.ts";
import { createFakeClock } from "../../support/clock.ts";
import { waitForEvent } from "../../support/wait_for_event.ts";
import { rawClient, readBytes } from "../../support/raw_client.ts";
import { untilWaiting } from "../../support/until_waiting.ts";
import { gatewayScene } from "../scene.ts";

const SECOND = 1_000;

const PING = [0x89, 0x00];
const PONG = [0x8a, 0x80, 1, 2, 3, 4];

/** Handshake headers of a client that responds to pings. */
const TAKES_PINGS = { "User-Agent": "test" };

/** Connects a client to a silent browser, with a fake clock. */
async function quietScene(settings = {}, headers = TAKES_PINGS) {
  const clock = createFakeClock();
  const connected = Promise.withResolvers<Socket>();
  const scene = await gatewayScene({
    grid: {
      clock,
      settings: { lease_seconds: 3_600, ...settings },
    },
    upstream: { onSocket: connected.resolve },
  });
  const client = await rawClient(scene.url, headers);
  let received = 0;
  client.socket.on("data", ({ length }) => received += length);
  client.socket.resume();
  return {
    ...scene,
    client,
    browser: await connected.promise,
    received: () => received,
    /** Advances the clock in the steps in which streams are checked. */
    async pass(seconds: number) {
      for (let left = seconds; left > 0; left -= 2) {
        clock.advance(2 * SECOND);
        await untilWaiting();
      }
    },
  };
}

async function assertRead(socket: Socket, expected: readonly number[]) {
  assert.deepEqual([...await readBytes(socket, expected.length)], expected);
}

Deno.test("a quiet client is pinged after 20 s and every 20 s; its pong reaches the browser and does not count as traffic", async () => {
  await using scene = await quietScene();
  const { client: { socket }, browser, grid, sessionId } = scene;
  await scene.pass(18);
  assert.equal(scene.received(), 0);
  for (let time = 0; time < 2; time++) {
    const pinged = assertRead(socket, PING);
    await scene.pass(6);
    await pinged;
    socket.resume();
    socket.write(Uint8Array.from(PONG));
    await assertRead(browser, PONG);
    await scene.pass(14);
  }
  assert.ok(scene.received() <= 2 * PING.length);
  await reconcileOnce(grid);
  const { data: { why } } = await waitForEvent(grid, sessionId, {
    name: "session_idle",
  });
  assert.equal(why, "no traffic");
  socket.destroy();
  const { data } = await waitForEvent(grid, sessionId, {
    name: "client_disconnected",
  });
  assert.deepEqual([data["bytes_in"], data["bytes_out"]], [0, 0]);
});

Deno.test("a ping is never written into a frame of the browser, but may be between two fragments of a message", async () => {
  await using scene = await quietScene();
  const { client: { socket }, browser } = scene;
  // The first fragment of a text, with a split header.
  for (const part of [[0x01], [0x03, 0x61], [0x62]]) {
    browser.write(Uint8Array.from(part));
    await scene.pass(30);
  }
  assert.equal(scene.received(), 4);
  browser.write(Uint8Array.of(0x63));
  const pinged = assertRead(socket, [0x63, ...PING]);
  await scene.pass(25);
  await pinged;
});

Deno.test("a client that sends or receives data is not pinged", async () => {
  await using scene = await quietScene();
  const { client: { socket }, browser } = scene;
  const [sent, response] = [[0x81, 0x80, 0, 0, 0, 0], [0x81, 0x00]];
  for (let round = 0; round < 3; round++) {
    socket.write(Uint8Array.from(sent));
    await assertRead(browser, sent);
    await scene.pass(16);
    browser.write(Uint8Array.from(response));
    await assertRead(socket, response);
    await scene.pass(16);
  }
  assert.equal(scene.received(), 3 * response.length);
});

for (
  const [who, settings, headers] of [
    ["any client with websocket_ping_seconds 0", {
      websocket_ping_seconds: 0,
    }, TAKES_PINGS],
    ["a client that fails on pings", {}, {
      "User-Agent": "Go-http-client/1.1",
    }],
  ] as const
) {
  Deno.test(`${who} is never pinged`, async () => {
    await using scene = await quietScene(settings, headers);
    await scene.pass(60);
    assert.equal(scene.received(), 0);
  });
}

Deno.test("clients that fail on pings are detected by their handshake", () => {
  const extensions = "permessage-deflate; client_max_window_bits";
  for (
    const [headers, expected] of [
      [{ "user-agent": "Puppeteer 25.16.0" }, true],
      [{ "user-agent": "Playwright/1.60" }, true],
      [{ "user-agent": "Python/3.14 websockets/16" }, true],
      // The package "ws" by default.
      [{ "sec-websocket-extensions": extensions }, true],
      // Rod and chromedp.
      [{ "user-agent": "Go-http-client/1.1" }, false],
      [{}, false],
    ] as const
  ) assert.equal(supportsPings({ headers }), expected, JSON.stringify(headers));
});

/** Encodes a text frame of a browser. */
function encodeFrame(text: string): Uint8Array {
  const payload = Buffer.from(text);
  const head = payload.length < 126
    ? [0x81, payload.length]
    : [0x81, 126, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Uint8Array.from(head), payload]);
}

Deno.test("a client receives every message unchanged, wherever bytes are split and pings are inserted", async () => {
  const messages = fc.array(
    fc.string({ minLength: 0, maxLength: 400 }),
    { minLength: 1, maxLength: 8 },
  );
  const steps = fc.infiniteStream(fc.nat(150));
  await fc.assert(
    fc.asyncProperty(messages, steps, fc.nat(20), async (texts, sizes, cut) => {
      const [browser, upstream] = duplexPair();
      const [client, outer] = duplexPair();
      const bytes = Buffer.concat(texts.map(encodeFrame));
      const early = bytes.subarray(0, cut);
      client.write(early);
      const frames = new FrameFollower();
      frames.follow(early);
      const splice = new Splice(client, upstream, {
        frames,
        pings: true,
        explain: () => Promise.resolve(CLOSE_REASONS.browserGone),
      });
      const received = readMessages(outer);
      for (let at = early.length; at < bytes.length;) {
        const chunk = bytes.subarray(at, at + 1 + (sizes.next().value ?? 0));
        browser.write(chunk);
        at += chunk.length;
        await new Promise((resolve) => setImmediate(resolve));
        splice.ping();
      }
      await new Promise((resolve) => setImmediate(resolve));
      splice.ping();
      browser.end();
      const { texts: got, code, pings } = await received;
      assert.deepEqual(got, texts);
      assert.equal(code, 1011);
      assert.ok(pings > 0, "at the end at least");
      await splice.ended;
    }),
    { seed: 20_261_129, numRuns: 100 },
  );
});

/** Reads the messages of a WebSocket stream until it is closed. */
async function readMessages(stream: Duplex) {
  const texts: string[] = [];
  let pings = 0;
  // A client after its handshake.
  const socket = Reflect.construct(WebSocket, [null, undefined, {}]);
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  socket.on("message", (data: unknown) => texts.push(String(data)));
  socket.on("ping", () => pings++);
  socket._isServer = false;
  socket.setSocket(stream, Buffer.alloc(0), {
    allowSynchronousEvents: true,
    maxPayload: 0,
    skipUTF8Validation: false,
  });
  return { texts, code: await closed, pings };
}
