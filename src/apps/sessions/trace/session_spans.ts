/**
 * The spans of a session that its servers record. All but the first are below that one, whose context is stored with the
 * session.
 *
 * ```text
 * create session
 *   queue            from the creation, or a requeue, to the claim
 *   claim
 *     start browser  of the worker
 *   ready            from the worker's report until clients are woken
 *   connect          of the gateway
 *   run              until the session ends
 * ```
 *
 * @module
 */
import {
  renderTraceparent,
  type TraceContext,
} from "../../../core/trace/trace_context.ts";
import type { SpanAttributes, Tracer } from "../../../core/trace/tracer.ts";
import type { ClaimedSession } from "../schemas/leases.ts";
import type { SessionRow } from "../session.ts";
import { isTerminal } from "../status.ts";
import type { StatusChange } from "../store/lifecycle/transition.ts";

/** Statuses of sessions that have ended as intended. */
const INTENDED: readonly string[] = ["completed", "terminated", "expired"];

/** Begin of a session's wait for a claim: its creation, or the end of an earlier attempt. */
export interface QueuedAt {
  readonly id: string;
  readonly since: number;
  /** Number of claims, with this one. */
  readonly attempt: number;
}

/** Begin and end of a step. */
interface Period {
  readonly startAt: number;
  readonly endAt: number;
}

/** Records the first span of a session, whose context the session has. */
export function recordCreation(
  tracer: Tracer,
  row: SessionRow,
  { trace, parent, ...period }: Period & {
    readonly trace: TraceContext;
    readonly parent: TraceContext | undefined;
  },
): void {
  tracer.end(trace, parent, {
    ...period,
    name: "create session",
    attributes: {
      ...describe(row),
      "browsergrid.browser": row.browser,
      "browsergrid.ephemeral": row.ephemeral,
    },
  });
}

/** Records the wait and the claim of assigned sessions. Returns the sessions with the contexts for their worker. */
export function recordClaims(
  tracer: Tracer,
  { sessions, queued }: {
    readonly sessions: readonly ClaimedSession[];
    readonly queued: readonly QueuedAt[];
  },
  period: Period,
): readonly ClaimedSession[] {
  return sessions.map((session) => {
    const { id, traceparent } = session;
    if (traceparent === undefined) return session;
    const wait = queued.find((each) => each.id === id);
    // The claim was repeated after its response was lost.
    if (!wait) return session;
    const attributes = {
      ...describe({
        id,
        workPoolId: session.work_pool_id,
        provider: session.provider_type,
      }),
      "browsergrid.attempt": wait.attempt,
    };
    tracer.record(traceparent, {
      name: "queue",
      startAt: wait.since,
      endAt: period.startAt,
      attributes,
    });
    const claim = tracer.record(traceparent, {
      ...period,
      name: "claim",
      attributes: { ...attributes, "browsergrid.browser": session.browser },
    });
    return claim
      ? { ...session, traceparent: renderTraceparent(claim) }
      : session;
  });
}

/** Records what changes of status have ended: a start, a run, or the wait of a session that never started. */
export function recordChanges(
  tracer: Tracer,
  changes: readonly StatusChange[],
  period: Period,
): void {
  for (const change of changes) {
    const { status, traceparent, startedAt, workerId, warm } = change;
    if (traceparent === null) continue;
    const isEnd = isTerminal(status);
    const attributes = {
      ...describe(change),
      "browsergrid.status": status,
      "browsergrid.worker_id": workerId,
      "browsergrid.warm": Boolean(warm),
    };
    const failure = isEnd && !INTENDED.includes(status)
      ? { error: change.statusReason ?? status }
      : {};
    const endAt = change.endedAt ?? period.endAt;
    if (status === "running") {
      tracer.record(traceparent, { ...period, name: "ready", attributes });
    } else if (isEnd && startedAt !== null) {
      tracer.record(traceparent, {
        name: "run",
        startAt: startedAt,
        endAt,
        attributes,
        ...failure,
      });
    } else if (isEnd && workerId === null) {
      tracer.record(traceparent, {
        name: "queue",
        startAt: change.createdAt,
        endAt,
        attributes,
        ...failure,
      });
    }
  }
}

function describe(
  { id, workPoolId, provider }: Pick<
    SessionRow,
    "id" | "workPoolId" | "provider"
  >,
): SpanAttributes {
  return {
    "browsergrid.session_id": id,
    "browsergrid.work_pool_id": workPoolId,
    "browsergrid.provider": provider,
  };
}
