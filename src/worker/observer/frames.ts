/**
 * Frames of WebSocket messages, as a browser sends them to its debuggers: unmasked, and a message in each.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-5.2 RFC 6455, 5.2}
 * @module
 */
import { Buffer } from "node:buffer";

/** Number of bytes at the start of a message by which it is selected. A control frame is not longer. */
const HEAD_BYTES = 125;

/** Maximum length of the header of an unmasked frame. */
const MAX_HEADER_BYTES = 10;

/** Maximum size of a message. A larger one is skipped. */
const MAX_MESSAGE_BYTES = 16 * 2 ** 20;

const FIN = 0x80;
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

const EMPTY = Buffer.alloc(0);

/** Recipient of the frames. The bytes are valid only during a call. */
export interface FrameHandler {
  /** Reports whether a message is needed, by its start. */
  readonly isNeeded: (head: Buffer) => boolean;
  readonly onMessage: (message: Buffer) => void;
  readonly onPing: (payload: Buffer) => void;
  /** Called at the last frame. */
  readonly onClose: () => void;
}

/** Reads frames from parts of a stream. A message that is not needed is skipped without a copy. */
export class FrameReader {
  readonly #handler: FrameHandler;
  /** Start of a frame whose header is incomplete. */
  #rest = EMPTY;
  /** Number of bytes to skip. */
  #skip = 0;
  /** Message whose bytes have not all arrived. */
  #partial: { readonly bytes: Buffer; filled: number } | undefined;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Reads the next part of the stream. */
  push(part: Uint8Array): void {
    const given = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    const bytes = this.#rest.length === 0
      ? given
      : Buffer.concat([this.#rest, given]);
    this.#rest = EMPTY;
    for (let at = 0; at < bytes.length;) {
      const next = this.#continue(bytes, at) ?? this.#begin(bytes, at);
      if (next === undefined) {
        // A copy, because the bytes are valid only now.
        this.#rest = Buffer.from(bytes.subarray(at));
        return;
      }
      at = next;
    }
  }

  /** Continues a message. Returns the position after its bytes; undefined if there is none. */
  #continue(bytes: Buffer, at: number): number | undefined {
    if (this.#skip > 0) {
      const count = Math.min(this.#skip, bytes.length - at);
      this.#skip -= count;
      return at + count;
    }
    const partial = this.#partial;
    if (!partial) return undefined;
    const count = Math.min(
      partial.bytes.length - partial.filled,
      bytes.length - at,
    );
    bytes.copy(partial.bytes, partial.filled, at, at + count);
    partial.filled += count;
    if (partial.filled === partial.bytes.length) {
      this.#partial = undefined;
      this.#handler.onMessage(partial.bytes);
    }
    return at + count;
  }

  /** Begins a frame. Returns the position after what was read of it; undefined if its start is incomplete. */
  #begin(bytes: Buffer, at: number): number | undefined {
    const header = readHeader(bytes, at);
    if (!header) return undefined;
    const { opcode, isFinal, length } = header;
    const start = at + header.size;
    const headEnd = start + Math.min(length, HEAD_BYTES);
    if (headEnd > bytes.length) return undefined;
    if (opcode >= CLOSE) {
      if (opcode === CLOSE) this.#handler.onClose();
      else if (opcode === PING) {
        this.#handler.onPing(bytes.subarray(start, headEnd));
      }
      this.#skip = start + length - headEnd;
      return headEnd;
    }
    // Browsers send each message in one frame.
    const isNeeded = opcode === TEXT && isFinal &&
      length <= MAX_MESSAGE_BYTES &&
      this.#handler.isNeeded(bytes.subarray(start, headEnd));
    if (!isNeeded) {
      this.#skip = length;
    } else if (start + length <= bytes.length) {
      this.#handler.onMessage(bytes.subarray(start, start + length));
      return start + length;
    } else this.#partial = { bytes: Buffer.alloc(length), filled: 0 };
    return start;
  }
}

/** Returns a masked frame with a text, or with the payload of a ping for its response. */
export function encodeFrame(payload: string | Uint8Array): Uint8Array {
  const isText = typeof payload === "string";
  const content = isText ? Buffer.from(payload) : Buffer.from(payload);
  const header = Buffer.alloc(MAX_HEADER_BYTES);
  header[0] = FIN | (isText ? TEXT : PONG);
  const size = writeLength(header, content.length);
  const mask = crypto.getRandomValues(new Uint8Array(4));
  for (let at = 0; at < content.length; at++) {
    content[at] = (content[at] ?? 0) ^ (mask[at % 4] ?? 0);
  }
  return Buffer.concat([header.subarray(0, size), mask, content]);
}

/** Writes the length of a masked frame. Returns the size of the header before the mask. */
function writeLength(header: Buffer, length: number): number {
  if (length < 126) {
    header[1] = 0x80 | length;
    return 2;
  }
  if (length < 2 ** 16) {
    header[1] = 0x80 | 126;
    header.writeUInt16BE(length, 2);
    return 4;
  }
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return 10;
}

/** The header of an unmasked frame. */
interface Header {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly length: number;
  readonly size: number;
}

/** Returns the header of a frame; undefined if it is incomplete. */
function readHeader(bytes: Buffer, at: number): Header | undefined {
  const available = bytes.length - at;
  if (available < 2) return undefined;
  const first = bytes.readUInt8(at);
  const short = bytes.readUInt8(at + 1) & 0x7f;
  const size = short < 126 ? 2 : short === 126 ? 4 : MAX_HEADER_BYTES;
  if (available < size) return undefined;
  const length = short < 126
    ? short
    : short === 126
    ? bytes.readUInt16BE(at + 2)
    : Number(bytes.readBigUInt64BE(at + 2));
  return { opcode: first & 0x0f, isFinal: (first & FIN) !== 0, length, size };
}
