const OPCODE = 0x0f;
const CLOSE = 0x8;
const MASKED = 0x80;
const MASK_BYTES = 4;

/**
 * Parses the frame headers of one direction of a WebSocket, to find frame boundaries. It reads no payload, stores no
 * byte and allocates nothing.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-5.2 RFC 6455, 5.2}
 */
export class FrameFollower {
  /** Bytes until the next header: the rest of a payload and its mask. */
  #payloadLeft = 0;
  /** True if the last byte was the first of a header. */
  #isSecondByte = false;
  /** Number of missing bytes of an extended length, and the value of those read so far. */
  #lengthBytesLeft = 0;
  #longLength = 0;
  #maskBytes = 0;
  #hasClosed = false;

  /** True if another frame may be written here. */
  get isAtBoundary(): boolean {
    return this.#payloadLeft === 0 && !this.#isSecondByte &&
      this.#lengthBytesLeft === 0;
  }

  /** True if a close frame has begun; no frame may follow it. */
  get hasClosed(): boolean {
    return this.#hasClosed;
  }

  /** Parses the next bytes of the stream. */
  follow(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const count = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= count;
        at += count;
      } else this.#followHeader(chunk[at++] ?? 0);
    }
  }

  #followHeader(byte: number): void {
    if (this.#lengthBytesLeft > 0) this.#followLength(byte);
    else if (!this.#isSecondByte) {
      this.#isSecondByte = true;
      this.#hasClosed ||= (byte & OPCODE) === CLOSE;
    } else {
      this.#isSecondByte = false;
      this.#maskBytes = (byte & MASKED) === 0 ? 0 : MASK_BYTES;
      const length = byte & ~MASKED;
      this.#lengthBytesLeft = length === 126 ? 2 : length === 127 ? 8 : 0;
      this.#longLength = 0;
      if (this.#lengthBytesLeft === 0) {
        this.#payloadLeft = length + this.#maskBytes;
      }
    }
  }

  #followLength(byte: number): void {
    this.#longLength = this.#longLength * 256 + byte;
    if (--this.#lengthBytesLeft > 0) return;
    this.#payloadLeft = this.#longLength + this.#maskBytes;
  }
}
