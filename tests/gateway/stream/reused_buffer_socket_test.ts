import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { connectReusingBuffer } from "../../../src/gateway/stream/reused_buffer_socket.ts";

const KILOBYTE = 1_024;
const TOTAL = 16 * 1_024 * KILOBYTE;

/** A socket that reuses its buffer, and the end that sends to it. */
interface Pair extends AsyncDisposable {
  readonly sender: Socket;
  readonly reader: Socket;
}

async function connectPair(): Promise<Pair> {
  const server: Server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const accepted = new Promise<Socket>((resolve) =>
    server.once("connection", resolve)
  );
  const reader = connectReusingBuffer({
    port: address.port,
    host: "127.0.0.1",
  });
  const sender = await accepted;
  return {
    sender,
    reader,
    async [Symbol.asyncDispose]() {
      const closed = [sender, reader, server].map((each) =>
        once(each, "close")
      );
      sender.destroy();
      reader.destroy();
      server.close();
      await Promise.all(closed);
    },
  };
}

Deno.test("a socket first reads at most 2 KB, and at most 256 KB once its reads fill the buffer", async () => {
  await using pair = await connectPair();
  const sent = Buffer.alloc(TOTAL);
  for (let at = 0; at < TOTAL; at++) sent[at] = (at * 31 + (at >> 8)) & 0xff;
  const received = Buffer.alloc(TOTAL);
  const lengths: number[] = [];
  const whole = new Promise<void>((resolve) => {
    let count = 0;
    pair.reader.on("data", (chunk: Uint8Array) => {
      received.set(chunk, count);
      count += chunk.length;
      lengths.push(chunk.length);
      if (count === TOTAL) resolve();
    });
  });
  pair.sender.write(sent);
  await whole;
  assert.ok(received.equals(sent));
  assert.equal(lengths[0], 2 * KILOBYTE);
  const longest = Math.max(...lengths) / KILOBYTE;
  assert.ok(longest > 128 && longest <= 256, `${longest} KB`);
});

Deno.test("a socket whose messages are short keeps its buffer of 2 KB", async () => {
  await using pair = await connectPair();
  const lengths: number[] = [];
  pair.reader.on("data", ({ length }: Uint8Array) => lengths.push(length));
  for (let message = 0; message < 3; message++) {
    const read = once(pair.reader, "data");
    pair.sender.write(new Uint8Array(KILOBYTE));
    await read;
  }
  const read = once(pair.reader, "data");
  pair.sender.write(new Uint8Array(8 * KILOBYTE));
  await read;
  assert.deepEqual(lengths.slice(0, 4), [
    ...[KILOBYTE, KILOBYTE, KILOBYTE],
    2 * KILOBYTE,
  ]);
});
