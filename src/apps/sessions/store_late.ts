/** What time does to sessions: the statements of the reconciler. Each is guarded, so that running it twice changes nothing more. */
import { and, eq, inArray, isNull, lt, type SQL, sql } from "drizzle-orm";
import type { Database } from "../../core/db/client.ts";
import { workers } from "../workers/models.ts";
import { sessions } from "./models.ts";
import {
  HELD_STATUSES,
  isTerminal,
  SESSION_STATUSES,
  type SessionStatus,
} from "./status.ts";
import { type Changed, type Changes, transition } from "./store_transition.ts";

/** SQL of lateness. Each method is one round trip. */
export interface LateStore {
  /** Leases that ran out: `starting` is queued again or fails, `running` has crashed, what was ordered to end has ended. */
  expireLeases(now: number, maxAttempts: number): Promise<readonly Changed[]>;
  /** Sessions that no worker took in time. */
  failOverdue(now: number): Promise<readonly Changed[]>;
  /** Lifetimes that are over: pending ones end, the workers of held ones are ordered to end them. */
  expireLifetimes(now: number): Promise<readonly Changed[]>;
  /** Browsers that nobody used for too long: their workers are ordered to end them. */
  timeOutIdle(now: number): Promise<readonly Changed[]>;
  /** Orders that were given before `since` and not obeyed: the session ends in the record. */
  enforceStops(since: number, now: number): Promise<readonly Changed[]>;
  /** Deletes what ended before `before`. Returns how many. */
  prune(before: number): Promise<number>;
}

/** The store over `db`. */
export function createLateStore({ orm }: Database): LateStore {
  const move = (
    status: SessionStatus,
    condition: SQL,
    now: number,
    changes: Changes,
  ) => transition(orm, status, condition, now, changes);
  const order = (
    status: "expired" | "timed_out",
    reason: string,
    condition: SQL,
    now: number,
  ) =>
    orm.update(sessions).set({
      stopRequestedAt: now,
      stopStatus: status,
      stopReason: reason,
    }).where(all(isHeld, isNull(sessions.stopRequestedAt), condition))
      .returning({
        id: sessions.id,
        status: sessions.status,
        workPoolId: sessions.workPoolId,
        workerId: sessions.workerId,
      });
  return {
    async expireLeases(now, maxAttempts) {
      const late = lt(sessions.leaseExpiresAt, now);
      const free = isNull(sessions.stopRequestedAt);
      const results = await orm.batch([
        ...orderedEnds(all(isHeld, late, sql`NOT ${free}`), move, now),
        ...move(
          "failed",
          all(
            eq(sessions.status, "starting"),
            late,
            sql`${sessions.startAttempts} >= ${maxAttempts}`,
          ),
          now,
          { statusReason: "its worker was lost while it started, too often" },
        ),
        ...move("pending", all(eq(sessions.status, "starting"), late), now, {
          workerId: null,
          leaseExpiresAt: null,
          claimRequestId: null,
          statusReason: "its worker was lost while it started",
        }),
        ...move("crashed", all(eq(sessions.status, "running"), late), now, {
          statusReason: "its worker was lost",
          endpoint: null,
        }),
      ]);
      return changesIn(results);
    },
    async failOverdue(now) {
      const [, failed] = await orm.batch(move(
        "failed",
        all(
          eq(sessions.status, "pending"),
          lt(sessions.queueDeadlineAt, now),
        ),
        now,
        { statusReason: noWorkerReason() },
      ));
      return failed;
    },
    async expireLifetimes(now) {
      const over = lt(sessions.expiresAt, now);
      const reason = "its maximum lifetime passed";
      const [, ended, ordered] = await orm.batch([
        ...move("expired", all(eq(sessions.status, "pending"), over), now, {
          statusReason: reason,
        }),
        order("expired", reason, over, now),
      ]);
      return [...ended, ...ordered];
    },
    async timeOutIdle(now) {
      const idle = sql`${sessions.status} = 'running'
        AND ${sessions.idleTimeoutSeconds} IS NOT NULL
        AND coalesce(${sessions.lastActivityAt}, ${sessions.startedAt})
          + ${sessions.idleTimeoutSeconds} * 1000 < ${now}`;
      return await order("timed_out", "nobody used it for too long", idle, now);
    },
    async enforceStops(since, now) {
      const condition = all(isHeld, lt(sessions.stopRequestedAt, since));
      const results = await orm.batch(orderedEnds(condition, move, now));
      return changesIn(results);
    },
    async prune(before) {
      const ended = SESSION_STATUSES.filter(isTerminal);
      const { rowsAffected } = await orm.delete(sessions).where(
        all(inArray(sessions.status, ended), lt(sessions.endedAt, before)),
      );
      return rowsAffected;
    },
  };
}

const isHeld = inArray(sessions.status, [...HELD_STATUSES]);

/** What was ordered to end ends as it was ordered; a forced one is kept as an order, for the worker may come back. */
function orderedEnds(
  condition: SQL,
  move: (
    status: SessionStatus,
    condition: SQL,
    now: number,
    changes: Changes,
  ) => ReturnType<typeof transition>,
  now: number,
) {
  const end = (status: SessionStatus) =>
    move(status, all(condition, eq(sessions.stopStatus, status)), now, {
      statusReason: sql`${sessions.stopReason}`,
      endpoint: null,
      stopForce: sql`1`,
    });
  return [
    ...end("completed"),
    ...end("terminated"),
    ...end("expired"),
    ...end("timed_out"),
  ] as const;
}

/** Why nobody took it: for people who look at a failed session. */
function noWorkerReason(): SQL {
  return sql`iif(EXISTS (SELECT 1 FROM ${workers}
      WHERE ${workers.workPoolId} = ${sessions.workPoolId}
      AND ${workers.status} IN ('online', 'busy')),
    'all workers of its work pool were busy until the queue deadline',
    'no worker of its work pool was online until the queue deadline')`;
}

function all(...conditions: readonly SQL[]): SQL {
  return and(...conditions) ?? sql`1`;
}

/** Results of a batch that are rows of changes; the others belong to events. */
function changesIn(results: readonly unknown[]): readonly Changed[] {
  return results.filter((result) => Array.isArray(result)).flat();
}
