import { createRowRenderer, toIsoTime } from "../../http/wire_form.ts";
import { renderQueueState } from "./queue_state.ts";
import { sessionSchema, type SessionWire } from "./schemas.ts";
import type { SessionEventWire, SessionMetricWire } from "./schemas/history.ts";
import type { Session, SessionEvent, SessionMetric } from "./session.ts";

const renderColumns = createRowRenderer(sessionSchema.omit({
  proxy: true,
  environment: true,
  status_reason: true,
  connect_url: true,
  live_url: true,
}));

/** Renders a session for responses. @param connectUrl URL that clients connect to. */
export function renderSession(
  session: Session,
  connectUrl: string,
): SessionWire {
  return {
    ...renderColumns(session),
    proxy: session.publicProxy,
    environment: [...session.environmentNames],
    status_reason: renderStatusReason(session),
    connect_url: connectUrl,
    live_url: null,
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

/** Renders a measurement for responses. */
export function renderMetric(metric: SessionMetric): SessionMetricWire {
  return {
    session_id: metric.sessionId,
    cpu_percent: metric.cpuPercent,
    memory_mb: metric.memoryMb,
    network_rx_bytes: metric.networkRxBytes,
    network_tx_bytes: metric.networkTxBytes,
    timestamp: toIsoTime(metric.timestamp),
  };
}
