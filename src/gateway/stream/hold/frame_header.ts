/** Maximum length of a frame's header in bytes. */
export const MAX_HEADER_BYTES = 14;

const MASK_BYTES = 4;

/** Opcodes of the frames that the filter tells apart. */
export const OPCODES = { continuation: 0, text: 1, control: 8 } as const;

/** The header of a WebSocket frame. */
export interface FrameHeader {
  /** True for the last frame of a message. */
  readonly isFinal: boolean;
  /** RSV1: the message is compressed. */
  readonly isCompressed: boolean;
  readonly opcode: number;
  /** Length of the payload in bytes. */
  readonly length: number;
  /** Absent for a frame that is not masked, as a client may send none. */
  readonly mask: Uint8Array | undefined;
}

/**
 * Parses the header of a frame. Undefined if bytes are missing.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-5.2 RFC 6455, 5.2}
 */
export function parseFrameHeader(bytes: Uint8Array): FrameHeader | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const short = second & 0x7f;
  const maskAt = short === 126 ? 4 : short === 127 ? 10 : 2;
  const end = (second & 0x80) === 0 ? maskAt : maskAt + MASK_BYTES;
  if (bytes.length < end) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    isFinal: (first & 0x80) !== 0,
    isCompressed: (first & 0x40) !== 0,
    opcode: first & 0x0f,
    length: short === 126
      ? view.getUint16(2)
      : short === 127
      ? Number(view.getBigUint64(2))
      : short,
    mask: end === maskAt
      ? undefined
      : new Uint8Array(bytes.subarray(maskAt, end)),
  };
}

/** Returns the bytes of a payload without the mask. `offset` is the position of the first one in the payload. */
export function unmask(
  bytes: Uint8Array,
  mask: Uint8Array | undefined,
  offset: number,
): Uint8Array {
  if (!mask) return bytes;
  return bytes.map((byte, at) =>
    byte ^ (mask[(offset + at) % MASK_BYTES] ?? 0)
  );
}
