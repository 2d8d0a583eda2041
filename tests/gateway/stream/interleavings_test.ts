import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import fc from "fast-check";
import {
  CLOSE_REASONS,
  encodeCloseFrame,
} from "../../../src/gateway/stream/close_frame.ts";
import { FrameFollower } from "../../../src/gateway/stream/frame_follower.ts";
import { PING } from "../../../src/gateway/stream/ping.ts";
import { HEAD, HOMES, type Joined, joinedScene } from "./joined_scene.ts";

/** A frame of a browser: text, whose payload contains neither a header nor a ping. */
function encodeFrame(length: number): Buffer {
  const head = Buffer.alloc(10);
  head[0] = 0x81;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, Buffer.alloc(length, "a")]);
}

/** Removes the pings between the frames of a browser. */
function removePings(bytes: Buffer): Buffer {
  const frames = new FrameFollower();
  const kept: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < bytes.length; at++) {
    const isPing = frames.isAtBoundary &&
      bytes.subarray(at, at + PING.length).equals(PING);
    if (isPing) {
      kept.push(bytes.subarray(from, at));
      from = at + PING.length;
      at = from - 1;
    } else frames.follow(bytes.subarray(at, at + 1));
  }
  return Buffer.concat([...kept, bytes.subarray(from)]);
}

function isPrefix(part: Buffer, whole: Buffer): boolean {
  return whole.subarray(0, part.length).equals(part);
}

/** Collects what a socket receives until it is closed. */
function collect(socket: Socket): () => Promise<Buffer> {
  const chunks: Buffer[] = [];
  const closed = new Promise<void>((resolve) =>
    socket.once("close", () => resolve())
  );
  socket.on("end", () => socket.end());
  return () => {
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.resume();
    return closed.then(() => Buffer.concat(chunks));
  };
}

const lengths = fc.oneof(fc.nat(50), fc.constantFrom(70_000, 600_000));
/** A step of the peers or the grid. */
type Step =
  | { readonly what: "client writes"; readonly length: number }
  | {
    readonly what: "browser writes";
    readonly length: number;
    /** Number of bytes of the frame that are written later, with the next one. */
    readonly held: number;
  }
  | { readonly what: "ping" }
  | { readonly what: "turn" };

const step = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.record({ what: fc.constant("client writes" as const), length: lengths }),
  fc.record({
    what: fc.constant("browser writes" as const),
    length: lengths,
    held: fc.nat(12),
  }),
  fc.constantFrom<Step>({ what: "ping" }, { what: "turn" }),
);

const ENDS = {
  "client ends": ({ client }: Joined) => client.end(),
  "client destroys": ({ client }: Joined) => client.destroy(),
  "client resets": ({ client }: Joined) => client.resetAndDestroy(),
  "browser ends": ({ browser }: Joined) => browser.end(),
  "browser destroys": ({ browser }: Joined) => browser.destroy(),
  "browser resets": ({ browser }: Joined) => browser.resetAndDestroy(),
  "grid closes": ({ stream }: Joined) =>
    stream.close(CLOSE_REASONS.browserGone),
};

type End = keyof typeof ENDS;

const ends = fc.constantFrom(...Object.keys(ENDS) as End[]); // The keys of an object without others.

for (const home of HOMES) {
  Deno.test(`whatever both sides do before one of them ends, bytes arrive in order, a close frame only between frames, and every stream ends (${home})`, async () => {
    await using scene = await joinedScene(home);
    const explain = () => Promise.resolve(CLOSE_REASONS.browserGone);
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        ends,
        fc.tuple(fc.boolean(), fc.boolean()),
        async (steps, end, [readsEarly, browserReads]) => {
          const joined = await scene.join({ explain });
          const { client, browser, stream } = joined;
          const [atClient, atBrowser] = [collect(client), collect(browser)];
          const reading = readsEarly ? atClient() : undefined;
          const browserReading = browserReads ? atBrowser() : undefined;
          const fromClient: Buffer[] = [];
          const fromBrowser: Buffer[] = [];
          let held = Buffer.alloc(0);
          for (const each of steps) {
            if (each.what === "ping") stream.ping();
            else if (each.what === "turn") {
              await new Promise((resolve) => setImmediate(resolve));
            } else if (each.what === "client writes") {
              const bytes = Buffer.alloc(each.length, fromClient.length + 1);
              fromClient.push(bytes);
              client.write(bytes);
            } else {
              const bytes = Buffer.concat([held, encodeFrame(each.length)]);
              const cut = Math.max(held.length, bytes.length - each.held);
              held = bytes.subarray(cut);
              fromBrowser.push(bytes.subarray(0, cut));
              browser.write(bytes.subarray(0, cut));
            }
          }
          ENDS[end](joined);
          const [received, arrived, { by, bytesIn, bytesOut }] = await Promise
            .all([
              (reading ?? atClient()).then((bytes) =>
                removePings(bytes.subarray(HEAD.length))
              ),
              browserReading ?? atBrowser(),
              stream.ended,
            ]);
          const [sentIn, sentOut] = [fromClient, fromBrowser].map((parts) =>
            Buffer.concat(parts)
          ) as [Buffer, Buffer]; // As many as there were.
          const frame = Buffer.from(
            encodeCloseFrame(CLOSE_REASONS.browserGone),
          );
          const isClosed = received.subarray(-frame.length).equals(frame);
          const data = isClosed
            ? received.subarray(0, -frame.length)
            : received;
          assert.ok(isPrefix(data, sentOut), "from the browser");
          assert.ok(isPrefix(arrived, sentIn), "from the client");
          assert.ok(data.length <= bytesOut && bytesOut <= sentOut.length);
          assert.ok(arrived.length <= bytesIn && bytesIn <= sentIn.length);
          // A browser whose own bytes are not read when its socket is closed may lose the last ones.
          if (end === "client ends" && sentOut.length === 0) {
            assert.ok(arrived.equals(sentIn));
          }
          if (end === "browser ends") assert.ok(data.equals(sentOut));
          if (end === "browser ends" || end === "grid closes") {
            const frames = new FrameFollower();
            frames.follow(data);
            assert.equal(isClosed, frames.isAtBoundary);
          }
          assert.equal(by, end.split(" ")[0]);
        },
      ),
      { seed: 20_261_130, numRuns: 150 },
    );
  });

  Deno.test(`40 MB in both directions at once arrive unchanged at readers that pause (${home})`, async () => {
    await using scene = await joinedScene(home);
    const { client, browser, stream } = await scene.join();
    const bytes = Buffer.alloc(40 * 2 ** 20);
    for (let at = 0; at < bytes.length; at += 4) {
      bytes.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);
    }
    const hashes = await Promise.all([
      hashSlowly(client, HEAD.length + bytes.length),
      hashSlowly(browser, bytes.length),
      client.write(bytes),
      browser.write(bytes),
    ]);
    const hash = (...parts: readonly Uint8Array[]) =>
      createHash("sha256").update(Buffer.concat(parts)).digest("hex");
    assert.deepEqual(hashes.slice(0, 2), [hash(HEAD, bytes), hash(bytes)]);
    assert.equal(stream.countBytes(), 2 * bytes.length);
    client.destroy();
    browser.destroy();
    await stream.ended;
  });
}

/** Returns the hash of the next `length` bytes. After each 4 MB it reads nothing for 10 ms. */
async function hashSlowly(socket: Socket, length: number): Promise<string> {
  const hash = createHash("sha256");
  let [left, untilPause] = [length, 4 * 2 ** 20];
  const done = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => {
    hash.update(chunk);
    left -= chunk.length;
    untilPause -= chunk.length;
    if (left <= 0) return done.resolve();
    if (untilPause > 0) return;
    untilPause = 4 * 2 ** 20;
    socket.pause();
    setTimeout(() => socket.resume(), 10);
  });
  await Promise.race([done.promise, once(socket, "close")]);
  return hash.digest("hex");
}
