import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { Socket } from "node:net";
import { rawClient, readBytes } from "../../support/raw_client.ts";
import { gatewayScene } from "../scene.ts";

const MEGABYTE = 2 ** 20;

/** Returns bytes whose content differs between parts, so that reordering is detected. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8)) & 0xff;
  return bytes;
}

Deno.test("the gateway passes bytes unchanged in both directions", async () => {
  await using scene = await gatewayScene();
  using client = await rawClient(scene.url);
  const sent = pattern(8 * MEGABYTE);
  client.socket.write(sent);
  const back = await readBytes(client.socket, sent.length);
  assert.ok(Buffer.from(sent).equals(back));
});

Deno.test("the gateway loses no bytes that follow a handshake, from either side", async () => {
  const greeting = pattern(1_000);
  await using scene = await gatewayScene({ upstream: { greeting } });
  const early = pattern(500);
  using client = await rawClient(scene.url, {}, early);
  const missing = greeting.length + early.length - client.rest.length;
  const rest = await readBytes(client.socket, missing);
  const all = Buffer.concat([client.rest, rest]);
  assert.ok(all.equals(Buffer.concat([greeting, early])));
});

Deno.test("client and browser agree on the handshake; no other header of the client reaches the browser", async () => {
  await using scene = await gatewayScene();
  using client = await rawClient(`${scene.url}?token=hush`, {
    "Sec-WebSocket-Extensions": "permessage-deflate",
    "Sec-WebSocket-Protocol": "cdp",
    "Cookie": "hush=1",
    "X-API-Key": "hush",
  });
  assert.match(client.head, /^HTTP\/1\.1 101 /);
  assert.match(
    client.head,
    /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/,
  );
  assert.match(client.head, /Sec-WebSocket-Protocol: cdp/);
  const request = scene.upstream.lastRequest();
  assert.equal(
    request?.headers["sec-websocket-extensions"],
    "permessage-deflate",
  );
  assert.equal(request?.headers.host, `127.0.0.1:${scene.upstream.port}`);
  assert.equal(request?.url, "/devtools/browser/x");
  assert.doesNotMatch(JSON.stringify(request?.headers), /hush/);
});

Deno.test("a client whose browser accepts compressed messages is requested to compress each alone", async () => {
  for (
    const [agreed, expected] of [
      ["permessage-deflate", "permessage-deflate; client_no_context_takeover"],
      [
        "permessage-deflate; client_max_window_bits=15",
        "permessage-deflate; client_no_context_takeover; client_max_window_bits=15",
      ],
      [
        "permessage-deflate; client_no_context_takeover",
        "permessage-deflate; client_no_context_takeover",
      ],
    ] as const
  ) {
    await using scene = await gatewayScene({
      upstream: { extensions: agreed },
    });
    using client = await rawClient(scene.url);
    const [, received] =
      /^Sec-WebSocket-Extensions: (.*)\r$/m.exec(client.head) ?? [];
    assert.equal(received, expected);
    client.socket.write("hello");
    assert.equal(String(await readBytes(client.socket, 5)), "hello");
  }
});

Deno.test("a client that does not read stops the writes of its browser only", async () => {
  const stalled = Promise.withResolvers<number>();
  const total = 256 * MEGABYTE;
  let written = 0;
  let socketOfFlood: Socket | undefined;
  await using scene = await gatewayScene({
    session: { max_connections: 2 },
    upstream: {
      onSocket(socket) {
        if (socketOfFlood) return void socket.pipe(socket);
        socketOfFlood = socket;
        const chunk = pattern(MEGABYTE);
        let quiet: ReturnType<typeof setTimeout> | undefined;
        const pump = () => {
          clearTimeout(quiet);
          while (written < total) {
            written += chunk.length;
            if (!socket.write(chunk)) break;
          }
          // Time without progress after which the sender counts as stalled.
          quiet = setTimeout(() => stalled.resolve(written), 300);
        };
        socket.on("drain", pump);
        socket.on("close", () => clearTimeout(quiet));
        pump();
      },
    },
  });
  using slow = await rawClient(scene.url);
  assert.ok(await stalled.promise < 32 * MEGABYTE, `${written} bytes accepted`);
  using other = await rawClient(scene.url);
  other.socket.write(pattern(MEGABYTE));
  await readBytes(other.socket, MEGABYTE);
  const whole = Buffer.from(pattern(MEGABYTE));
  let rest = Buffer.from(slow.rest);
  for (let at = 0; at < 64; at++) {
    const more = await readBytes(slow.socket, MEGABYTE - rest.length);
    const block = Buffer.concat([rest, more]);
    assert.ok(block.subarray(0, MEGABYTE).equals(whole), `block ${at}`);
    rest = block.subarray(MEGABYTE);
  }
});

Deno.test("200 clients are connected at once, and no socket stays open after them", async () => {
  await using scene = await gatewayScene({ session: { max_connections: 200 } });
  const clients = await Promise.all(
    Array.from({ length: 200 }, () => rawClient(scene.url)),
  );
  await Promise.all(clients.map(async ({ socket }, at) => {
    socket.write(`hello ${at}`);
    const text = new TextDecoder().decode(
      await readBytes(socket, `hello ${at}`.length),
    );
    assert.equal(text, `hello ${at}`);
  }));
  const gone = scene.upstream.sockets.map((socket) => once(socket, "close"));
  for (const client of clients) client[Symbol.dispose]();
  await Promise.all(gone);
});
