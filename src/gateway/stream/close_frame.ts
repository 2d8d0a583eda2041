/** Close codes that clients see. @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-7.4 RFC 6455, 7.4} */
export const CLOSE_CODES = {
  /** The session has ended, or the server stops. */
  goingAway: 1001,
  /** The browser is gone: it crashed, or does not respond. */
  browserGone: 1011,
  /** The server's part of the stream failed; the browser still runs. Registered by IANA as "Service Restart". */
  streamFailed: 1012,
  /** Another client has taken the place over: to connect again at once would only take it back. */
  takenOver: 4001,
  /** The browser closed only this connection and still runs. */
  closedByBrowser: 4002,
} as const;

/** Code and reason of a close frame. */
export interface CloseReason {
  readonly code: number;
  /** At most 120 bytes; a longer text is truncated. */
  readonly reason: string;
}

/** Close reasons that several modules use. */
export const CLOSE_REASONS = {
  sessionEnded: { code: CLOSE_CODES.goingAway, reason: "session ended" },
  serverStops: { code: CLOSE_CODES.goingAway, reason: "server stops" },
  browserGone: { code: CLOSE_CODES.browserGone, reason: "browser gone" },
  streamFailed: {
    code: CLOSE_CODES.streamFailed,
    reason:
      "stream failed in the server; the browser still runs, connect again",
  },
  takenOver: { code: CLOSE_CODES.takenOver, reason: "taken over" },
} as const satisfies Readonly<Record<string, CloseReason>>;

/** A close frame as a server sends it: not masked. The reason is cut to what fits. */
export function encodeCloseFrame({ code, reason }: CloseReason): Uint8Array {
  const text = new TextEncoder().encode(reason).subarray(0, 120);
  const frame = new Uint8Array(4 + text.length);
  frame.set([0x88, 2 + text.length, code >> 8, code & 0xff]);
  frame.set(text, 4);
  return frame;
}
