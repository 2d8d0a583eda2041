import { withoutPassword } from "../../core/browser_spec.ts";
import type { Assignment } from "../workerpool/manager.ts";
import type { SessionInput } from "./schemas.ts";
import { CLIENT_SEEN_MS, type Session, type SessionRow } from "./session.ts";
import { resolveStoredFields } from "./stored_fields.ts";

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
  /** Trace of the session, as the header `traceparent`. */
  readonly traceparent: string | null;
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
  control: "client",
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

/** Returns the session without the secrets of its row. */
export function withoutSecrets(row: SessionRow): Session {
  const { proxy, environment, endpoint: _, logs: __, ...session } = row;
  return {
    ...session,
    publicProxy: proxy && withoutPassword(proxy),
    environmentNames: Object.keys(environment),
  };
}
