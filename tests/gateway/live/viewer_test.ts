import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocket } from "ws";
import {
  LIVE_PROTOCOL,
  type LiveMessage,
} from "../../../src/apps/live/schemas/live_messages.ts";
import { systemClock } from "../../../src/async/clock.ts";
import { Viewer, type ViewerGrant } from "../../../src/gateway/live/viewer.ts";
import { ViewerSockets } from "../../../src/gateway/live/viewer_sockets.ts";
import { settle } from "../../support/event_loop.ts";
import { within } from "../../support/within.ts";

/** Connects a viewer with a mode. */
async function setUp(mode: ViewerGrant["mode"]) {
  await using stack = new AsyncDisposableStack();
  const sockets = new ViewerSockets();
  const handled: string[] = [];
  const left = Promise.withResolvers<void>();
  const made = Promise.withResolvers<Viewer>();
  const server = createServer();
  server.on("upgrade", (request, socket, head) => {
    const accepted = sockets.accept({ request, socket, head }, mode);
    if (!accepted) return;
    made.resolve(
      new Viewer(accepted, {
        grant: { mode, linkId: "link", expiresAt: undefined, name: "link" },
        clock: systemClock,
        handler: {
          handle: (_viewer, { type }) => handled.push(type),
          handleFiles: () => handled.push("files"),
          leave: () => left.resolve(),
        },
      }),
    );
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  stack.defer(() =>
    new Promise<void>((resolve) => server.close(() => resolve()))
  );
  const address = server.address();
  assert.ok(address && typeof address === "object");
  const client = new WebSocket(`ws://127.0.0.1:${address.port}`, [
    LIVE_PROTOCOL,
  ]);
  const closed = once(client, "close");
  stack.defer(async () => {
    client.terminate();
    await closed;
    await left.promise;
  });
  await once(client, "open");
  const viewer = await made.promise;
  const owned = stack.move();
  return {
    viewer,
    client,
    handled,
    closed,
    left: () => within(left.promise, { what: "end of the view", ms: 10_000 }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const KEY = JSON.stringify({ type: "control", take: true });

Deno.test("a viewer whose view has ended is ignored, though its socket stays open until it answers", async () => {
  await using scene = await setUp("control");
  const { viewer, client, handled, left } = scene;
  client.send(KEY);
  client.send(KEY);
  // What it sent before it hears of the end arrives after that.
  viewer.end("link_revoked", "Revoked.");
  await left();
  const [data] = await once(client, "message");
  const message: LiveMessage = JSON.parse(String(data));
  assert.equal(message.type, "end");
  await scene.closed;
  assert.deepEqual(handled, []);
});

Deno.test("a viewer that acknowledges pictures without reading them is disconnected", async () => {
  await using scene = await setUp("view");
  const { viewer, client, left } = scene;
  client.pause();
  viewer.pacing.maxFps = 1_000_000;
  const bytes = new Uint8Array(1024 * 1024);
  for (let seq = 1; seq <= 64; seq++) {
    viewer.pacing.offer({ seq, bytes });
    viewer.pacing.acknowledge(seq);
    await settle();
  }
  await left();
});

Deno.test("a viewer without the right to control cannot make the server keep a large message", async () => {
  await using scene = await setUp("view");
  const { client, closed, handled } = scene;
  client.on("error", () => {});
  client.send(JSON.stringify({ type: "ack", seq: 1 }));
  client.send(new Uint8Array(5_000));
  const [code] = await closed;
  assert.equal(code, 1009);
  assert.deepEqual(handled, ["ack"]);
});
