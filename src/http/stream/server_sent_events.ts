/**
 * The text of server-sent events.
 *
 * @module
 * @see {@link https://html.spec.whatwg.org/multipage/server-sent-events.html Server-sent events}
 */
import { STALL_MS } from "./push_stream.ts";

/** Time after which clients reconnect. */
const RECONNECT_MS = 2_000;

/** Headers of a stream of server-sent events. */
export const EVENT_STREAM_HEADERS = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-store",
  // Proxies such as nginx would collect the response.
  "X-Accel-Buffering": "no",
} as const;

/** A comment, which clients ignore. */
export const HEARTBEAT = ":\n\n";

/** The last message of a stream whose source cannot be read. */
export const UNREADABLE: string = renderMessage("error", {
  code: "database_unavailable",
  detail: "The stream cannot be read now; reconnect with Last-Event-ID",
});

/** Renders the last message of a client that has read nothing for too long. */
export function renderStalled(code: string): string {
  return renderMessage("error", {
    code,
    detail: `The connection took nothing for ${
      STALL_MS / 1_000
    } s, expected a client that reads; reconnect with Last-Event-ID`,
  });
}

/** Renders the first message: the pause before a client reconnects, and the position at which it then continues. */
export function renderFirst(id: number): string {
  return `retry: ${RECONNECT_MS}\nid: ${id}\n\n`;
}

/** Renders a message. JSON has no line breaks. */
export function renderMessage(type: string, data: object, id?: number): string {
  const position = id === undefined ? "" : `id: ${id}\n`;
  return `${position}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
