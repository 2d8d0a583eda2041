import type { IncomingMessage } from "node:http";

/** A server's ping: without payload and not masked. */
export const PING: Uint8Array = new Uint8Array([0x89, 0x00]);

/** First bytes of the response to {@linkcode PING}, and the length of the response with its mask. */
const PONG = [0x8a, 0x80] as const;
const PONG_BYTES = 6;

/** Reports whether bytes of a client are a response to {@linkcode PING} and nothing else. */
export function isPong(chunk: Uint8Array): boolean {
  return chunk.length === PONG_BYTES && chunk[0] === PONG[0] &&
    chunk[1] === PONG[1];
}

/**
 * Reports whether a client responds to pings, judged by its handshake.
 *
 * Rod and older versions of chromedp take every frame for a message and fail on a ping. Rod is a Go program with the
 * user agent of its standard library; chromedp, unlike all other known clients, sends neither a user agent nor
 * extensions.
 *
 * @see {@link https://github.com/go-rod/rod/blob/main/lib/cdp/websocket.go Rod}
 * @see {@link https://github.com/chromedp/chromedp/blob/master/conn.go chromedp}
 */
export function supportsPings(
  { headers }: Pick<IncomingMessage, "headers">,
): boolean {
  const agent = headers["user-agent"];
  if (agent !== undefined) return !agent.startsWith("Go-http-client/");
  return headers["sec-websocket-extensions"] !== undefined;
}
