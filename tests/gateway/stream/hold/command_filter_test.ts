import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  CommandFilter,
  type Filtered,
} from "../../../../src/gateway/stream/hold/command_filter.ts";
import { isHeldCommand } from "../../../../src/gateway/stream/hold/held_commands.ts";
import {
  deflateMessage,
  encodeCommand,
  encodeFrame,
  splitFrames,
} from "./frames.ts";

const MESSAGE = "held: a person controls the browser";

const PASSING = [
  "Runtime.runIfWaitingForDebugger",
  "Target.setAutoAttach",
  "Fetch.continueRequest",
  "Page.enable",
  "Inputs.like",
];
const HELD = [
  "Input.dispatchMouseEvent",
  "Runtime.evaluate",
  "Runtime.callFunctionOn",
  "Page.navigate",
  "Target.createTarget",
  "DOM.setFileInputFiles",
];

/** A message of a client, and how it is sent. */
interface Sent {
  readonly id: number;
  readonly method: string;
  readonly sessionId: string | undefined;
  readonly keys: readonly string[];
  readonly params: unknown;
  readonly isCompressed: boolean;
  /** Lengths of its frames except the last one. */
  readonly cuts: readonly number[];
  /** Payloads of control frames: before the message, and between its frames. */
  readonly controls: readonly Uint8Array[];
  readonly mask: Uint8Array;
  readonly lengthBytes: 1 | 2 | 8;
  readonly space: string;
}

const params = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.record({
    // A member of the parameters is not one of the command.
    method: fc.constantFrom(...HELD, ...PASSING),
    id: fc.nat(),
    expression: fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constant('"}],"method":"Page.navigate"\\'),
      fc.constantFrom(100, 66_000).map((length) => "\\é{".repeat(length)),
    ),
  }),
);

const sent = fc.record<Sent>({
  id: fc.nat(),
  method: fc.constantFrom(...HELD, ...PASSING),
  sessionId: fc.option(fc.string(), { nil: undefined }),
  keys: fc.shuffledSubarray(["id", "method", "params", "sessionId"], {
    minLength: 4,
  }),
  params,
  isCompressed: fc.boolean(),
  cuts: fc.array(fc.nat(300), { maxLength: 4 }),
  controls: fc.array(fc.uint8Array({ maxLength: 125 }), { maxLength: 4 }),
  mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
  lengthBytes: fc.constantFrom(1 as const, 2 as const, 8 as const),
  space: fc.constantFrom("", " ", "\n\t "),
});

function render(message: Sent): Buffer {
  const members = message.keys.flatMap((key) => {
    const value = JSON.stringify(message[key as keyof Sent]); // A key of the list above.
    return value === undefined ? [] : [`"${key}"${message.space}:${value}`];
  });
  return Buffer.from(`{${members.join(`${message.space},`)}}`);
}

/** Encodes the frames of a message: those of its data, and control frames. */
function encode(message: Sent) {
  const { mask, lengthBytes, isCompressed } = message;
  const text = render(message);
  const payload = isCompressed ? deflateMessage(text) : text;
  const parts: Buffer[] = [];
  let at = 0;
  for (const cut of message.cuts) {
    parts.push(payload.subarray(at, at += cut));
  }
  parts.push(payload.subarray(at));
  const controls = message.controls.map((bytes, nth) =>
    encodeFrame(bytes, { opcode: nth % 2 === 0 ? 9 : 10, mask })
  );
  const data = parts.map((part, nth) =>
    encodeFrame(part, {
      opcode: nth === 0 ? 1 : 0,
      isFinal: nth === parts.length - 1,
      isCompressed: isCompressed && nth === 0,
      lengthBytes,
      mask,
    })
  );
  return { text, payload, data, controls };
}

/** Filters bytes in chunks, each in a buffer that is overwritten afterwards as a socket does. */
function filterInChunks(
  filter: CommandFilter,
  bytes: Uint8Array,
  sizes: Iterator<number>,
) {
  const all = { forwarded: [] as Buffer[], replies: [] as Buffer[] };
  for (let at = 0; at < bytes.length;) {
    const size = 1 + (sizes.next().value ?? 0);
    const chunk = Buffer.from(bytes.subarray(at, at + size));
    at += size;
    collect(all, filter.filter(chunk));
    chunk.fill(0xee);
  }
  return all;
}

function collect(
  all: { forwarded: Buffer[]; replies: Buffer[] },
  { forwarded, replies }: Filtered,
): void {
  all.forwarded.push(...forwarded.map((bytes) => Buffer.from(bytes)));
  all.replies.push(...replies.map((bytes) => Buffer.from(bytes)));
}

/** Reports whether a held message is expected: of a held command, or one whose method is behind 64 KB. */
function isHeld({ method }: Sent, text: Buffer, payload: Buffer): boolean {
  const at = text.lastIndexOf(`"${method}"`);
  return isHeldCommand(method) || (at > 60_000 && payload.length > 60_000);
}

Deno.test("a filter forwards every frame that passes byte for byte and answers every held command, wherever bytes, fragments and control frames are split", () => {
  fc.assert(
    fc.property(
      fc.array(sent, { maxLength: 6 }),
      fc.infiniteStream(fc.oneof(fc.nat(20), fc.nat(2_000), fc.nat(200_000))),
      (messages, sizes) => {
        const bytes: Buffer[] = [];
        const data: Buffer[] = [];
        const controls: Buffer[] = [];
        const replies: unknown[] = [];
        for (const message of messages) {
          const encoded = encode(message);
          const between = [...encoded.controls];
          for (const frame of encoded.data) {
            bytes.push(...between.splice(0, 1), frame);
          }
          bytes.push(...between);
          controls.push(...encoded.controls);
          if (isHeld(message, encoded.text, encoded.payload)) {
            const { id, sessionId } = message;
            replies.push({
              id,
              error: { code: -32_000, message: MESSAGE },
              ...(sessionId === undefined ? {} : { sessionId }),
            });
          } else data.push(...encoded.data);
        }
        const filter = new CommandFilter({
          message: MESSAGE,
          isDeflated: true,
        });
        const got = filterInChunks(filter, Buffer.concat(bytes), sizes);
        assert.ok(filter.isBetweenMessages);
        const frames = splitFrames(Buffer.concat(got.forwarded));
        const isControl = ({ opcode }: { opcode: number }) => opcode >= 8;
        assert.deepEqual(
          frames.filter(isControl).map((frame) => frame.bytes),
          controls,
        );
        assert.deepEqual(
          frames.filter((frame) => !isControl(frame)).map((frame) =>
            frame.bytes
          ),
          data,
        );
        assert.deepEqual(
          splitFrames(Buffer.concat(got.replies)).map(({ text }) =>
            JSON.parse(text)
          ),
          replies,
        );
      },
    ),
    { seed: 20_261_130, numRuns: 400 },
  );
});

Deno.test("a filter that is released within a message forwards it, unless it was known to be held, and lets all later ones pass", () => {
  fc.assert(
    fc.property(sent, sent, fc.nat(), (first, second, where) => {
      const encoded = encode(first);
      const bytes = Buffer.concat(encoded.data);
      const later = Buffer.concat(encode(second).data);
      const cut = where % bytes.length;
      const filter = new CommandFilter({ message: MESSAGE, isDeflated: true });
      const all = { forwarded: [], replies: [] };
      collect(all, filter.filter(bytes.subarray(0, cut)));
      collect(all, filter.release());
      collect(all, filter.filter(bytes.subarray(cut)));
      collect(all, filter.filter(later));
      const expected = all.replies.length > 0
        ? later
        : Buffer.concat([bytes, later]);
      assert.ok(expected.equals(Buffer.concat(all.forwarded)));
      if (!isHeld(first, encoded.text, encoded.payload)) {
        assert.equal(all.replies.length, 0);
      }
      assert.ok(filter.isBetweenMessages);
    }),
    { seed: 20_261_130, numRuns: 300 },
  );
});

Deno.test("a command is found by its own members, whatever their order, escapes and nesting", () => {
  const filter = new CommandFilter({ message: MESSAGE, isDeflated: false });
  for (
    const [text, id] of [
      ['{"id":1,"method":"Page.navigate"}', 1],
      ['{"method":"Page.navigate","params":{"id":9},"id":2}', 2],
      ['{"m\\u0065thod":"Page\\u002enavigate","id":3}', 3],
      ['{"params":[{"method":"x"}],"id" : 4 , "method" : "Page.close"}', 4],
      ['{"id":"5","method":"Page.close"}', undefined],
      ['{"method":"Page.close","id":6.5}', undefined],
    ] as const
  ) {
    const frame = encodeFrame(Buffer.from(text), { mask: new Uint8Array(4) });
    const { forwarded, replies } = filter.filter(frame);
    assert.deepEqual(forwarded, [], text);
    const [reply] = splitFrames(replies[0] ?? new Uint8Array());
    assert.equal(JSON.parse(reply?.text ?? "").id, id, text);
  }
  for (
    const text of [
      "",
      "no JSON",
      '["method","Page.navigate"]',
      '{"params":{"method":"Page.navigate"}}',
      '{"method":{"method":"Page.navigate"}}',
      '{"method":7,"id":1}',
      '{"id":1,"method":"Page.navigated"}',
    ]
  ) {
    const frame = encodeFrame(Buffer.from(text), { mask: new Uint8Array(4) });
    const { forwarded, replies } = filter.filter(frame);
    assert.deepEqual([Buffer.concat(forwarded), replies], [frame, []], text);
  }
});

Deno.test("frames that no command is in pass: binary ones, those that are not masked as text is, a compressed one without agreement", () => {
  const filter = new CommandFilter({ message: MESSAGE, isDeflated: false });
  const text = Buffer.from('{"id":1,"method":"Page.navigate"}');
  const mask = Uint8Array.of(9, 8, 7, 6);
  const frames = [
    encodeFrame(text, { opcode: 2, mask }),
    encodeFrame(deflateMessage(text), { isCompressed: true, mask }),
    encodeFrame(text, { opcode: 0, mask }),
    encodeFrame(Buffer.from([0x03, 0xe8]), { opcode: 8, mask }),
  ];
  for (const frame of frames) {
    const { forwarded, replies } = filter.filter(frame);
    assert.deepEqual([Buffer.concat(forwarded), replies], [frame, []]);
  }
});

Deno.test("a filter keeps at most 64 KB of a message: a large one passes as it arrives, a held one is dropped, one that hides its method is held", () => {
  const expression = "x".repeat(3_000_000);
  const run = (command: unknown) => {
    const filter = new CommandFilter({ message: MESSAGE, isDeflated: false });
    const bytes = encodeCommand(command);
    const [forwarded, replies] = [[], []] as [number[], Uint8Array[]];
    for (let at = 0; at < bytes.length; at += 10_000) {
      const filtered = filter.filter(bytes.subarray(at, at + 10_000));
      forwarded.push(Buffer.concat(filtered.forwarded).length);
      replies.push(...filtered.replies);
    }
    return { forwarded, replies, length: bytes.length };
  };
  const passing = run({ method: "Fetch.fulfillRequest", expression, id: 1 });
  assert.equal(passing.forwarded[0], 10_000);
  assert.equal(passing.replies.length, 0);
  for (
    const command of [
      { method: "Runtime.evaluate", expression, id: 2 },
      { params: { expression }, method: "Fetch.fulfillRequest", id: 2 },
    ]
  ) {
    const held = run(command);
    assert.ok(held.forwarded.every((count) => count === 0));
    const [reply] = splitFrames(held.replies[0] ?? new Uint8Array());
    assert.equal(JSON.parse(reply?.text ?? "").id, 2);
  }
});

Deno.test("a compressed message that inflates to 50 MB is filtered in parts", () => {
  const filter = new CommandFilter({ message: MESSAGE, isDeflated: true });
  const text = Buffer.from(
    `{"params":"${" ".repeat(50_000_000)}","method":"Page.close","id":1}`,
  );
  const frame = encodeFrame(deflateMessage(text), {
    isCompressed: true,
    mask: Uint8Array.of(1, 2, 3, 4),
  });
  const { forwarded, replies } = filter.filter(frame);
  assert.deepEqual([forwarded, replies.length], [[], 1]);
});
