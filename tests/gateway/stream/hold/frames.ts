import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { constants, deflateRawSync } from "node:zlib";
import {
  MAX_HEADER_BYTES,
  parseFrameHeader,
  unmask,
} from "../../../../src/gateway/stream/hold/frame_header.ts";

/** Options of {@linkcode encodeFrame}. */
export interface FrameOptions {
  /** @default {1, text} */
  readonly opcode?: number;
  /** @default {true} */
  readonly isFinal?: boolean;
  /** @default {false} */
  readonly isCompressed?: boolean;
  /** Minimum number of bytes of the length. @default {1} */
  readonly lengthBytes?: 1 | 2 | 8;
  /** Absent for a frame of a server. */
  readonly mask?: Uint8Array;
}

/** Encodes a frame. */
export function encodeFrame(
  payload: Uint8Array,
  { opcode = 1, isFinal = true, isCompressed, lengthBytes = 1, mask }:
    FrameOptions = {},
): Buffer {
  const { length } = payload;
  const bytes = Math.max(
    lengthBytes,
    length > 65_535 ? 8 : length > 125 ? 2 : 1,
  );
  const header = Buffer.alloc(bytes === 1 ? 2 : 2 + bytes);
  header[0] = (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode;
  header[1] = bytes === 1 ? length : bytes === 2 ? 126 : 127;
  if (bytes === 2) header.writeUInt16BE(length, 2);
  if (bytes === 8) header.writeBigUInt64BE(BigInt(length), 2);
  if (mask) header[1] |= 0x80;
  return Buffer.concat([
    header,
    mask ?? new Uint8Array(),
    unmask(payload, mask, 0),
  ]);
}

/** Encodes a command as a client sends it: one masked frame of text. */
export function encodeCommand(command: unknown): Buffer {
  return encodeFrame(Buffer.from(JSON.stringify(command)), {
    mask: Uint8Array.of(1, 2, 3, 4),
  });
}

/** Compresses a message as `permessage-deflate` does without context takeover. */
export function deflateMessage(payload: Uint8Array): Buffer {
  return deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH })
    .subarray(0, -4);
}

/** A frame that was read, and its bytes. */
export interface ReadFrame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly bytes: Buffer;
  readonly text: string;
}

/** Splits whole frames; throws if the last one is incomplete. */
export function splitFrames(bytes: Uint8Array): readonly ReadFrame[] {
  const { frames, rest } = takeFrames(bytes);
  if (rest.length > 0) throw new Error("The last frame is incomplete");
  return frames;
}

function readFrame(bytes: Uint8Array): ReadFrame | undefined {
  for (let length = 2; length <= MAX_HEADER_BYTES; length++) {
    if (length > bytes.length) return undefined;
    const header = parseFrameHeader(bytes.subarray(0, length));
    if (!header) continue;
    const end = length + header.length;
    if (end > bytes.length) return undefined;
    const payload = unmask(bytes.subarray(length, end), header.mask, 0);
    return {
      ...header,
      bytes: Buffer.from(bytes.subarray(0, end)),
      text: Buffer.from(payload).toString(),
    };
  }
}

/** Splits the whole frames that `bytes` begin with, and returns the rest. */
export function takeFrames(bytes: Uint8Array): {
  readonly frames: readonly ReadFrame[];
  readonly rest: Uint8Array;
} {
  const frames: ReadFrame[] = [];
  let rest = bytes;
  for (;;) {
    const frame = readFrame(rest);
    if (!frame) return { frames, rest };
    frames.push(frame);
    rest = rest.subarray(frame.bytes.length);
  }
}

/** Calls `onFrame` with each frame that a socket receives. */
export function readFrames(
  socket: Socket,
  onFrame: (frame: ReadFrame) => void,
): void {
  let unread: Uint8Array = new Uint8Array();
  socket.on("data", (chunk: Buffer) => {
    const { frames, rest } = takeFrames(Buffer.concat([unread, chunk]));
    unread = rest;
    frames.forEach(onFrame);
  });
  socket.resume();
}
