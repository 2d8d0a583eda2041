import type { Assignment } from "../workerpool/manager.ts";
import { withoutPassword } from "../../core/browser_spec.ts";
import { type QueueState, renderQueueState } from "./waiting.ts";
import type { sessionEvents, sessionMetrics, sessions } from "./models.ts";
import type {
  SessionEventWire,
  SessionInput,
  SessionMetricWire,
  SessionWire,
} from "./schemas.ts";

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

/** What a new session is made of besides what was asked for. */
export interface NewSessionFacts {
  readonly id: string;
  /** Id of the caller that asked for it. */
  readonly owner: string;
  readonly priority: number;
  readonly ephemeral: boolean;
  readonly now: number;
  readonly queueTimeoutMs: number;
  /** Of an ephemeral one: how long it waits for its client to come back. */
  readonly keepAliveSeconds: number | null;
}

/** The row of a new session. */
export function buildRow(
  input: SessionInput,
  { pool, session }: Assignment,
  {
    id,
    owner,
    priority,
    ephemeral,
    now,
    queueTimeoutMs,
    keepAliveSeconds,
  }: NewSessionFacts,
): SessionRow {
  const lifetimeMs = session.resourceLimits.timeout_minutes * 60_000;
  return {
    ...session,
    id,
    owner,
    environment: { ...session.environment },
    arguments: input.arguments ?? [],
    workPoolId: pool.id,
    provider: pool.providerType,
    priority,
    idleTimeoutSeconds: input.idle_timeout_seconds ?? null,
    maxConnections: input.max_connections ?? 1,
    keepAliveSeconds,
    labels: input.labels ?? {},
    webhooksEnabled: input.webhooks_enabled ?? true,
    ephemeral,
    status: "pending",
    statusReason: null,
    createdAt: now,
    updatedAt: now,
    startedAt: null,
    endedAt: null,
    expiresAt: now + queueTimeoutMs + lifetimeMs,
    queueDeadlineAt: now + queueTimeoutMs,
    startDeadlineAt: null,
    clientSeenUntil: ephemeral ? now + CLIENT_SEEN_MS : null,
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
  };
}

/** The session without the secrets of its row. */
export function withoutSecrets(row: SessionRow): Session {
  const { proxy, environment, endpoint: _, logs: __, ...session } = row;
  return {
    ...session,
    publicProxy: proxy && withoutPassword(proxy),
    environmentNames: Object.keys(environment),
  };
}

/** A session as it is answered. @param connectUrl Where clients connect. */
export function renderSession(
  session: Session,
  connectUrl: string,
): SessionWire {
  return {
    id: session.id,
    owner: session.owner,
    browser: session.browser,
    version: session.version,
    headless: session.headless,
    operating_system: session.operatingSystem,
    screen: session.screen,
    proxy: session.publicProxy,
    resource_limits: session.resourceLimits,
    environment: [...session.environmentNames],
    arguments: [...session.arguments],
    work_pool_id: session.workPoolId,
    provider: session.provider,
    priority: session.priority,
    idle_timeout_seconds: session.idleTimeoutSeconds,
    max_connections: session.maxConnections,
    keep_alive_seconds: session.keepAliveSeconds,
    labels: session.labels,
    webhooks_enabled: session.webhooksEnabled,
    status: session.status,
    status_reason: renderStatusReason(session),
    created_at: isoTime(session.createdAt),
    updated_at: isoTime(session.updatedAt),
    started_at: isoTimeOrNull(session.startedAt),
    ended_at: isoTimeOrNull(session.endedAt),
    expires_at: isoTime(session.expiresAt),
    idle_since: isoTimeOrNull(session.idleSince),
    worker_id: session.workerId,
    container_id: session.containerId,
    details: session.details,
    reach: session.reach,
    warm: session.warm,
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
    timestamp: isoTime(event.timestamp),
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
    timestamp: isoTime(metric.timestamp),
  };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function isoTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}
