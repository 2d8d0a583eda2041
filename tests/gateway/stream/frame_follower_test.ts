import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { FrameFollower } from "../../../src/gateway/stream/frame_follower.ts";

/** A frame of the reference encoder. */
interface Frame {
  readonly opcode: number;
  readonly isLast: boolean;
  readonly isMasked: boolean;
  /** Number of length bytes; more than necessary is allowed here. */
  readonly lengthBytes: 1 | 2 | 8;
  readonly payload: Uint8Array;
}

function encode({ opcode, isLast, isMasked, lengthBytes, payload }: Frame) {
  const { length } = payload;
  const fieldBytes = Math.max(
    lengthBytes,
    length > 0xffff ? 8 : length > 125 ? 2 : 1,
  );
  const mask = isMasked ? [0x80, 0xff, 0x7f, 0x00] : [];
  const field = fieldBytes === 1
    ? [length]
    : [fieldBytes === 2 ? 126 : 127, ...encodeLength(length, fieldBytes)];
  field[0] = (field[0] ?? 0) | (isMasked ? 0x80 : 0);
  const head = [(isLast ? 0x80 : 0) | opcode, ...field, ...mask];
  return Buffer.concat([Uint8Array.from(head), payload]);
}

function encodeLength(length: number, count: number): readonly number[] {
  return Array.from(
    { length: count },
    (_, at) => Math.floor(length / 256 ** (count - 1 - at)) % 256,
  );
}

const frames = fc.array(
  fc.record<Frame>({
    opcode: fc.constantFrom(0, 1, 2, 9, 10),
    isLast: fc.boolean(),
    isMasked: fc.boolean(),
    lengthBytes: fc.constantFrom(1 as const, 2 as const, 8 as const),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      // Payloads that look like headers.
      fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000).map((length) =>
        new Uint8Array(length).fill(0x81)
      ),
    ),
  }),
  { maxLength: 6 },
);

Deno.test("FrameFollower finds the ends of frames wherever the bytes are split", () => {
  fc.assert(
    fc.property(frames, fc.infiniteStream(fc.nat(400)), (given, sizes) => {
      const encoded = given.map(encode);
      const bytes = Buffer.concat(encoded);
      const ends = new Set([0]);
      let end = 0;
      for (const { length } of encoded) ends.add(end += length);
      const follower = new FrameFollower();
      assert.ok(follower.isAtBoundary);
      for (let at = 0; at < bytes.length;) {
        const chunk = bytes.subarray(at, at + (sizes.next().value ?? 1));
        follower.follow(chunk);
        at += chunk.length;
        assert.equal(follower.isAtBoundary, ends.has(at), `byte ${at}`);
        assert.ok(!follower.hasClosed);
      }
    }),
    { seed: 20_261_129, numRuns: 300 },
  );
});

Deno.test("FrameFollower finds the first position between messages, not that between two fragments, also with control frames among them", () => {
  fc.assert(
    fc.property(frames, fc.nat(), (given, where) => {
      const encoded = given.map(encode);
      const bytes = Buffer.concat(encoded);
      const between = [0];
      let [end, isInMessage] = [0, false];
      for (const [nth, { opcode, isLast }] of given.entries()) {
        end += encoded[nth]?.length ?? 0;
        if (opcode < 8) isInMessage = !isLast;
        if (!isInMessage) between.push(end);
      }
      const start = where % (bytes.length + 1);
      const follower = new FrameFollower();
      follower.follow(bytes.subarray(0, start));
      const expected = between.find((at) => at >= start) ?? bytes.length;
      const found = follower.followToMessage(bytes.subarray(start));
      assert.equal(start + found, expected);
      assert.equal(follower.isBetweenMessages, between.includes(expected));
    }),
    { seed: 20_261_130, numRuns: 300 },
  );
});

Deno.test("FrameFollower finds every boundary of frames that arrive byte by byte", () => {
  const follower = new FrameFollower();
  const payload = new Uint8Array(126).fill(0x88);
  const one: Frame = {
    opcode: 1,
    isLast: false,
    isMasked: true,
    lengthBytes: 8,
    payload,
  };
  const frame = encode(one);
  for (const [at, byte] of [...frame, ...frame].entries()) {
    follower.follow(Uint8Array.of(byte));
    const isEnd = (at + 1) % frame.length === 0;
    assert.equal(follower.isAtBoundary, isEnd, `byte ${at}`);
  }
  assert.ok(!follower.hasClosed);
});

Deno.test("FrameFollower detects a close frame, and no end of an oversized frame", () => {
  const closing = new FrameFollower();
  closing.follow(Uint8Array.of(0x88, 0x02, 0x03, 0xe9));
  assert.deepEqual([closing.isAtBoundary, closing.hasClosed], [true, true]);
  const endless = new FrameFollower();
  endless.follow(new Uint8Array([0x82, 127, ...new Uint8Array(8).fill(0xff)]));
  endless.follow(new Uint8Array(100_000));
  assert.ok(!endless.isAtBoundary);
});
