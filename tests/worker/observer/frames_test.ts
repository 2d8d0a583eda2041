import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  encodeFrame,
  FrameReader,
} from "../../../src/worker/observer/frames.ts";

/** Returns a frame as a browser sends it. */
function serverFrame(opcode: number, payload: string, first = 0x80): Buffer {
  const content = Buffer.from(payload);
  const { length } = content;
  const header = length < 126
    ? Buffer.from([first | opcode, length])
    : length < 65_536
    ? Buffer.from([first | opcode, 126, length >> 8, length & 0xff])
    : Buffer.from([
      first | opcode,
      127,
      0,
      0,
      0,
      0,
      ...Buffer.from([
        length >>> 24,
        length >>> 16 & 0xff,
        length >>> 8 & 0xff,
        length & 0xff,
      ]),
    ]);
  return Buffer.concat([header, content]);
}

function openReader(isNeeded: (head: string) => boolean) {
  const found: string[] = [];
  const heads: string[] = [];
  const reader = new FrameReader({
    isNeeded(head) {
      heads.push(head.toString());
      return isNeeded(head.toString());
    },
    onMessage: (message) => found.push(message.toString()),
    onPing: (payload) => found.push(`ping ${payload}`),
    onClose: () => found.push("close"),
  });
  return { reader, found, heads };
}

Deno.test("needed messages are found, whatever the parts in which they arrive", () => {
  const message = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.constantFrom(300, 65_535, 65_536, 70_000).map((size) =>
      "x".repeat(size)
    ),
  );
  const given = fc.tuple(
    fc.array(fc.tuple(message, fc.boolean()), { maxLength: 8 }),
    fc.array(fc.integer({ min: 1, max: 5_000 }), {
      minLength: 1,
      maxLength: 20,
    }),
  );
  fc.assert(fc.property(given, ([messages, sizes]) => {
    const marked = messages.map(([text, isNeeded]) =>
      `${isNeeded ? "+" : "-"}${text}`
    );
    const stream = Buffer.concat(marked.map((text) => serverFrame(1, text)));
    const { reader, found } = openReader((head) => head.startsWith("+"));
    let at = 0;
    for (let turn = 0; at < stream.length; turn++) {
      const size = sizes[turn % sizes.length] ?? 1;
      // The reader must not keep the buffer that is read into.
      const part = Buffer.from(stream.subarray(at, at + size));
      reader.push(part);
      part.fill(0);
      at += size;
    }
    assert.deepEqual(found, marked.filter((text) => text.startsWith("+")));
  }));
});

Deno.test("pings and closes are found, and binary, fragmented and huge messages are skipped", () => {
  const { reader, found, heads } = openReader(() => true);
  const frames = [
    serverFrame(9, "p"),
    serverFrame(2, "binary"),
    serverFrame(1, "first part", 0),
    serverFrame(0, "last part"),
    serverFrame(1, "next"),
    serverFrame(8, ""),
  ];
  for (const frame of frames) reader.push(frame);
  assert.deepEqual(found, ["ping p", "next", "close"]);
  const huge = Buffer.alloc(10);
  huge.set([0x81, 127]);
  huge.writeBigUInt64BE(BigInt(2 ** 30), 2);
  reader.push(Buffer.concat([huge, Buffer.alloc(125)]));
  assert.deepEqual(heads, ["next"]);
});

Deno.test("a frame is masked, with a length of each size", () => {
  for (const size of [0, 125, 126, 65_535, 65_536]) {
    const text = "ä".repeat(size / 2) + "x".repeat(size % 2);
    const frame = Buffer.from(encodeFrame(text));
    const short = frame.readUInt8(1) & 0x7f;
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    const mask = frame.subarray(start, start + 4);
    const content = frame.subarray(start + 4).map((byte, at) =>
      byte ^ mask.readUInt8(at % 4)
    );
    assert.equal(frame.readUInt8(0), 0x81);
    assert.equal(frame.readUInt8(1) & 0x80, 0x80);
    assert.equal(Buffer.from(content).toString(), text);
  }
});
