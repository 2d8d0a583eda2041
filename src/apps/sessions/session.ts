import { withoutPassword } from "../../core/browser_spec.ts";
import type { Assignment } from "../workerpool/manager.ts";
import type { sessionEvents, sessionMetrics, sessions } from "./models.ts";
import {
  type SessionInput,
  sessionSchema,
  type SessionWire,
} from "./schemas.ts";
import type { SessionEventWire, SessionMetricWire } from "./schemas/history.ts";
import { resolveStoredFields } from "./stored_fields.ts";
import { type QueueState, renderQueueState } from "./queue_state.ts";
import { createRowRenderer, toIsoTime } from "../../http/wire_form.ts";

/** How long the client of an ephemeral session counts as there once its server has said so. */
export const CLIENT_SEEN_MS = 20_000;

/** A session as it is stored, with its secrets. Stays inside the store. */
export type SessionRow = typeof sessions.$inferSelect;

/** Columns that no one but the claim and the gateway's look-up may read. */
export type SecretColumn = "proxy" | "environment" | "endpoint" | "logs";

/** A session without its secrets. */
export type Session = Readonly<Omit<SessionRow, SecretColumn>> & {
  readonly publicProxy: SessionWire["proxy"];
  readonly environmentNames: readonly string[];
  /** The state that a pending session waits in. Absent if it was not read. */
  readonly waiting?: QueueState | null;
};

export type SessionEvent = Readonly<typeof sessionEvents.$inferSelect>;
export type SessionMetric = Readonly<typeof sessionMetrics.$inferSelect>;

/** Facts of a new session that do not come from its create body or its pool. */
export interface NewSessionFacts {
  readonly id: string;
  /** Id of the caller that creates it. */
  readonly owner: string;
  readonly priority: number;
  readonly ephemeral: boolean;
  readonly now: number;
  readonly queueTimeoutMs: number;
  /** For an ephemeral session, how long it waits for its client to reconnect. */
  readonly keepAliveSeconds: number | null;
}

/** Returns the row of a new, pending session. */
export function buildRow(
  input: SessionInput,
  { pool, session }: Assignment,
  { now, queueTimeoutMs, ...facts }: NewSessionFacts,
): SessionRow {
  const lifetimeMs = session.resourceLimits.timeout_minutes * 60_000;
  return {
    ...UNSET_COLUMNS,
    ...session,
    ...resolveStoredFields(input),
    ...facts,
    environment: { ...session.environment },
    workPoolId: pool.id,
    provider: pool.providerType,
    status: "pending",
    createdAt: now,
    updatedAt: now,
    expiresAt: now + queueTimeoutMs + lifetimeMs,
    queueDeadlineAt: now + queueTimeoutMs,
    clientSeenUntil: facts.ephemeral ? now + CLIENT_SEEN_MS : null,
  };
}

/** Columns that are set only after a session was created. */
const UNSET_COLUMNS = {
  statusReason: null,
  startedAt: null,
  endedAt: null,
  startDeadlineAt: null,
  lastActivityAt: null,
  idleSince: null,
  workerId: null,
  containerId: null,
  details: {},
  endpoint: null,
  reach: null,
  warm: false,
  fencingToken: 0,
  leaseExpiresAt: null,
  claimRequestId: null,
  startAttempts: 0,
  stopRequestedAt: null,
  stopStatus: null,
  stopReason: null,
  stopForce: false,
  logs: null,
} as const;

/** The session without the secrets of its row. */
export function withoutSecrets(row: SessionRow): Session {
  const { proxy, environment, endpoint: _, logs: __, ...session } = row;
  return {
    ...session,
    publicProxy: proxy && withoutPassword(proxy),
    environmentNames: Object.keys(environment),
  };
}

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

/** An event as it is answered. */
export function renderEvent(event: SessionEvent): SessionEventWire {
  return {
    seq: event.seq,
    session_id: event.sessionId,
    event: event.event,
    data: event.data,
    timestamp: toIsoTime(event.timestamp),
  };
}

/** A measurement as it is answered. */
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
