const OPCODE = 0x0f;
const CLOSE = 0x8;
/** Opcodes from here on are of control frames. */
const CONTROL = 0x8;
const FINAL = 0x80;
const MASKED = 0x80;
const MASK_BYTES = 4;

/** Positions in the state of a {@linkcode FrameFollower}. `struct frames` of `native/join.c` has the same order. */
const PAYLOAD_LEFT = 0;
const IS_SECOND_BYTE = 1;
const LENGTH_BYTES_LEFT = 2;
const LONG_LENGTH = 3;
const MASK_LENGTH = 4;
const HAS_CLOSED = 5;
const IS_IN_MESSAGE = 6;

/** Number of values in the state of a {@linkcode FrameFollower}. */
export const FRAME_STATE_LENGTH = 7;

/**
 * Parses the frame headers of one direction of a WebSocket, to find frame boundaries. It reads no payload, stores no
 * byte and allocates nothing.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-5.2 RFC 6455, 5.2}
 */
export class FrameFollower {
  /**
   * Bytes until the next header (the rest of a payload and its mask), 1 if the last byte was the first of a header, the
   * number of missing bytes of an extended length and the value of those read so far, length of the mask, 1 if a
   * close frame has begun, and 1 if a message has more frames.
   */
  readonly #state: Float64Array;

  /** Continues with a state; all values are 0 at the start of a WebSocket. */
  constructor(state: Float64Array = new Float64Array(FRAME_STATE_LENGTH)) {
    this.#state = state;
  }

  /** True if another frame may be written here; within a fragmented message only a control frame. */
  get isAtBoundary(): boolean {
    return this.#read(PAYLOAD_LEFT) === 0 && this.#read(IS_SECOND_BYTE) === 0 &&
      this.#read(LENGTH_BYTES_LEFT) === 0;
  }

  /** True if a close frame has begun; no frame may follow it. */
  get hasClosed(): boolean {
    return this.#read(HAS_CLOSED) === 1;
  }

  /** True if another message may be written here. */
  get isBetweenMessages(): boolean {
    return this.isAtBoundary && this.#read(IS_IN_MESSAGE) === 0;
  }

  /** Parses the next bytes of the stream. */
  follow(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) at = this.#followFrom(chunk, at);
  }

  /**
   * Parses the next bytes up to the first position between messages, where {@linkcode isBetweenMessages} is true. Returns
   * that position; the length of the chunk if there is none.
   */
  followToMessage(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length && !this.isBetweenMessages) {
      at = this.#followFrom(chunk, at);
    }
    return at;
  }

  /** Parses a byte of a header, or the part of a payload that is in the chunk. Returns the position after it. */
  #followFrom(chunk: Uint8Array, at: number): number {
    const payloadLeft = this.#read(PAYLOAD_LEFT);
    if (payloadLeft > 0) {
      const count = Math.min(payloadLeft, chunk.length - at);
      this.#state[PAYLOAD_LEFT] = payloadLeft - count;
      return at + count;
    }
    this.#followHeader(chunk[at] ?? 0);
    return at + 1;
  }

  #read(at: number): number {
    return this.#state[at] ?? 0;
  }

  #followHeader(byte: number): void {
    if (this.#read(LENGTH_BYTES_LEFT) > 0) this.#followLength(byte);
    else if (this.#read(IS_SECOND_BYTE) === 0) {
      this.#state[IS_SECOND_BYTE] = 1;
      const opcode = byte & OPCODE;
      if (opcode < CONTROL) {
        this.#state[IS_IN_MESSAGE] = (byte & FINAL) === 0 ? 1 : 0;
      } else if (opcode === CLOSE) this.#state[HAS_CLOSED] = 1;
    } else {
      const maskLength = (byte & MASKED) === 0 ? 0 : MASK_BYTES;
      const length = byte & ~MASKED;
      const lengthBytes = length === 126 ? 2 : length === 127 ? 8 : 0;
      this.#state[IS_SECOND_BYTE] = 0;
      this.#state[MASK_LENGTH] = maskLength;
      this.#state[LENGTH_BYTES_LEFT] = lengthBytes;
      this.#state[LONG_LENGTH] = 0;
      if (lengthBytes === 0) this.#state[PAYLOAD_LEFT] = length + maskLength;
    }
  }

  #followLength(byte: number): void {
    const longLength = this.#read(LONG_LENGTH) * 256 + byte;
    const left = this.#read(LENGTH_BYTES_LEFT) - 1;
    this.#state[LONG_LENGTH] = longLength;
    this.#state[LENGTH_BYTES_LEFT] = left;
    if (left > 0) return;
    this.#state[PAYLOAD_LEFT] = longLength + this.#read(MASK_LENGTH);
  }
}
