/**
 * Forms of a stream of output: plain text, and server-sent events.
 *
 * @module
 */
import type { PushStreamTexts } from "../../../http/stream/push_stream.ts";
import {
  EVENT_STREAM_HEADERS,
  HEARTBEAT,
  renderFirst,
  renderMessage,
  renderStalled,
  UNREADABLE,
} from "../../../http/stream/server_sent_events.ts";
import { renderStatusReason } from "../render.ts";
import type { FollowedSession, LogPart } from "../store/logs.ts";

const STALLED_CODE = "log_stream_stalled";

/** The form of a stream. Its functions are called in the order of the stream. */
export interface LogFormat {
  readonly headers: Readonly<Record<string, string>>;
  readonly texts: PushStreamTexts;
  render(parts: readonly LogPart[]): string;
  /** Renders the end of the session; or, without it, of a stream that can be opened again. */
  renderEnd(session: FollowedSession | undefined, reason: string): string;
}

/** Renders server-sent events. @param after Part after which the stream begins. */
export function createEventFormat(after: number): LogFormat {
  return {
    headers: EVENT_STREAM_HEADERS,
    texts: {
      first: renderFirst(after),
      heartbeat: HEARTBEAT,
      stalled: renderStalled(STALLED_CODE),
      unreadable: UNREADABLE,
    },
    render: (parts) => parts.map(renderPart).join(""),
    renderEnd(session, reason) {
      if (!session) return renderMessage("end", { reason });
      const { status } = session;
      return renderMessage("session_ended", {
        status,
        status_reason: renderStatusReason(session),
      });
    },
  };
}

function renderPart({ seq, text, omitted, isFirst }: LogPart): string {
  return renderMessage(
    "log",
    { text, omitted_bytes: omitted, first: isFirst },
    seq,
  );
}

/** Renders plain text, in which notes of the server are lines of their own in brackets. */
export function createTextFormat(): LogFormat {
  let isLineOpen = false;
  let hasParts = false;
  const note = (text: string) => {
    const start = isLineOpen ? "\n" : "";
    isLineOpen = false;
    return `${start}[browsergrid: ${text}]\n`;
  };
  const render = ({ text, omitted, isFirst }: LogPart) => {
    const notes = [
      ...(isFirst && hasParts ? [note("last lines again")] : []),
      ...(omitted > 0 ? [note(`${omitted} bytes left out`)] : []),
    ];
    hasParts = true;
    if (text !== "") isLineOpen = !text.endsWith("\n");
    return notes.join("") + text;
  };
  return {
    headers: {
      ...EVENT_STREAM_HEADERS,
      "Content-Type": "text/plain; charset=UTF-8",
      "Cache-Control": "no-store, no-transform",
    },
    texts: {
      first: "",
      heartbeat: "\n",
      stalled: note(`${STALLED_CODE}: the connection took nothing for 30 s`),
      unreadable: note("database_unavailable: the output cannot be read now"),
    },
    render: (parts) => parts.map(render).join(""),
    renderEnd: (session, reason) => session ? "" : note(reason),
  };
}
