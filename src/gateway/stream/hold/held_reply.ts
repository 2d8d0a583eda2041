/** Code of the error that answers a held command: "server error" of JSON-RPC, as the browser uses it. */
const ERROR_CODE = -32_000;

/** A command that is answered in place of the browser. */
export interface HeldCommand {
  readonly id: number | undefined;
  readonly sessionId: string | undefined;
}

/** Encodes the error response to a held command as a frame of a server: text, not masked. */
export function encodeHeldReply(
  { id, sessionId }: HeldCommand,
  message: string,
): Uint8Array {
  const error = { code: ERROR_CODE, message };
  const payload = new TextEncoder().encode(
    JSON.stringify({ id, error, sessionId }),
  );
  const { length } = payload;
  const header = length < 126
    ? [0x81, length]
    : [0x81, 126, length >> 8, length & 0xff];
  const frame = new Uint8Array(header.length + length);
  frame.set(header);
  frame.set(payload, header.length);
  return frame;
}
