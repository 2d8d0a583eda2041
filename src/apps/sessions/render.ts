import { findTraceId } from "../../core/trace/trace_context.ts";
import { createRowRenderer, toIsoTime } from "../../http/wire_form.ts";
import { renderQueueState } from "./queue_state.ts";
import { sessionSchema, type SessionWire } from "./schemas.ts";
import type { SessionEventWire, SessionMetricWire } from "./schemas/history.ts";
import type { Session, SessionEvent, SessionMetric } from "./session.ts";

const renderColumns = createRowRenderer(sessionSchema.omit({
  proxy: true,
  environment: true,
  status_reason: true,
  trace_id: true,
  connect_url: true,
  live_url: true,
}));

/** Addresses of a session, as the client reaches the server. */
export interface SessionUrls {
  /** URL that clients connect to. */
  readonly connectUrl: string;
  /** Address of the live view for people; null if there is none. */
  readonly liveUrl: string | null;
}

/** Renders a session for responses. */
export function renderSession(
  session: Session,
  { connectUrl, liveUrl }: SessionUrls,
): SessionWire {
  return {
    ...renderColumns(session),
    proxy: session.publicProxy,
    environment: [...session.environmentNames],
    status_reason: renderStatusReason(session),
    trace_id: findTraceId(session.traceparent) ?? null,
    connect_url: connectUrl,
    live_url: liveUrl,
  };
}

/** Returns the reason for a session's status: for a pending one also why it waits, and how an earlier start failed. */
export function renderStatusReason(
  { statusReason, waiting }: Pick<Session, "statusReason" | "waiting">,
): string | null {
  if (!waiting) return statusReason;
  const why = renderQueueState(waiting);
  return statusReason === null ? why : `${statusReason}; ${why}`;
}

/** Renders an event for responses. */
export function renderEvent(event: SessionEvent): SessionEventWire {
  return {
    seq: event.seq,
    session_id: event.sessionId,
    event: event.event,
    data: event.data,
    timestamp: toIsoTime(event.timestamp),
  };
}

/** Renders a measurement of a session for responses. */
export function renderMetric(
  session_id: string,
  metric: SessionMetric,
): SessionMetricWire {
  return { session_id, ...metric, timestamp: toIsoTime(metric.timestamp) };
}
