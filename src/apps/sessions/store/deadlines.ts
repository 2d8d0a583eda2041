/**
 * What time does to sessions: the statements of the reconciler.
 *
 * Each is guarded, so that running it twice changes nothing more, and changes no more than {@linkcode MAX_ROWS} rows, so that
 * a clock that jumps does not end everything at once.
 *
 * @module
 */
import { eq, inArray, isNull, lt, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database } from "../../../core/database.ts";
import { workers } from "../../workers/models.ts";
import { sessions, waitsUntil } from "../models.ts";
import { renderStatusReason, type Session } from "../session.ts";
import { HELD_STATUSES } from "../status.ts";
import type { Stop } from "./sessions.ts";
import { all, endOrdered, type Move, requeueOrCrash } from "./lease_expiry.ts";
import { type ActivityChange, fallIdle } from "./activity.ts";
import { prune } from "./prune.ts";
import { collectChanges, type StatusChange, transition } from "./transition.ts";
import { waitingColumn } from "./waiting.ts";

/** Most rows that one statement of one pass changes. */
const MAX_ROWS = 200;

/** SQL of lateness. Each method but the last is one round trip, and one more where it says so. */
export interface DeadlineStore {
  /** Leases that ran out: `starting` is queued again or fails, `running` has crashed, what was ordered to end has ended. */
  expireLeases(
    now: number,
    limits: { readonly maxAttempts: number; readonly leaseMs: number },
  ): Promise<readonly StatusChange[]>;
  /** Fails sessions that no worker claimed in time, with the reason why they waited. A second round trip if there are any. */
  failOverdue(now: number): Promise<readonly StatusChange[]>;
  /** Starts that took too long, whatever their workers say. */
  failSlowStarts(now: number): Promise<readonly StatusChange[]>;
  /** Lifetimes that are over: pending ones end, the workers of held ones are ordered to end them. */
  expireLifetimes(now: number): Promise<readonly StatusChange[]>;
  /** Browsers over whose streams nothing has come for a while: they are idle. */
  fallIdle(now: number): Promise<readonly ActivityChange[]>;
  /** Browsers that nobody used for too long: their workers are ordered to end them. */
  timeOutIdle(now: number): Promise<readonly StatusChange[]>;
  /** Ephemeral sessions whose client has not come back, or is gone together with its server. */
  endAbandoned(now: number): Promise<readonly StatusChange[]>;
  /** What workers still hold when their time to drain is over: they are ordered to end it. */
  endDrained(now: number): Promise<readonly StatusChange[]>;
  /** Orders that were given before `since` and not obeyed: the session ends in the record. */
  enforceStops(since: number, now: number): Promise<readonly StatusChange[]>;
  /** As {@linkcode prune}. */
  prune(before: Parameters<typeof prune>[1]): Promise<number>;
}

/** The store over `db`. */
export function createDeadlineStore({ orm }: Database): DeadlineStore {
  const { move, order } = statements(orm);
  return {
    async expireLeases(now, { maxAttempts, leaseMs }) {
      const late = lt(sessions.leaseExpiresAt, now);
      const loss = { now, maxAttempts, why: "its worker was lost" };
      const results = await orm.batch([
        clampLeases(orm, now, leaseMs),
        ...requeueOrCrash(move, late, loss),
      ]);
      return collectChanges(results);
    },
    async failOverdue(now) {
      const late = all(waitedUntil(now), lt(sessions.queueDeadlineAt, now));
      const overdue = await orm.select({
        id: sessions.id,
        statusReason: sessions.statusReason,
        waiting: waitingColumn(),
      }).from(sessions).where(capped(late));
      if (overdue.length === 0) return [];
      const [, failed] = await orm.batch(
        failWith(move, findReasons(overdue), late, now),
      );
      return failed;
    },
    async failSlowStarts(now) {
      const late = all(
        eq(sessions.status, "starting"),
        lt(sessions.startDeadlineAt, now),
      );
      const reason = "it did not start in time";
      const [, failed] = await orm.batch(move("failed", late, now, {
        statusReason: reason,
        // Its worker may still be at it.
        stopRequestedAt: now,
        stopStatus: "terminated",
        stopReason: reason,
        stopForce: true,
      }));
      return failed;
    },
    async expireLifetimes(now) {
      const over = lt(sessions.expiresAt, now);
      const reason = "its maximum lifetime passed";
      const [, ended, ordered] = await orm.batch([
        ...move("expired", all(isPending, over), now, {
          statusReason: reason,
        }),
        order({ status: "expired", reason }, over, now),
      ]);
      return [...ended, ...ordered];
    },
    async fallIdle(now) {
      const [, changed] = await orm.batch(fallIdle(orm, now, capped));
      return changed;
    },
    async timeOutIdle(now) {
      const idle = sql`${sessions.status} = 'running'
        AND ${sessions.idleTimeoutSeconds} IS NOT NULL
        AND coalesce(${sessions.lastActivityAt}, ${sessions.startedAt})
          + ${sessions.idleTimeoutSeconds} * 1000 < ${now}`;
      return await order(
        { status: "timed_out", reason: "nobody used it for too long" },
        idle,
        now,
      );
    },
    async endAbandoned(now) {
      const gone = lt(sessions.clientSeenUntil, now);
      const reason = "its client has gone, with the server that it came to";
      const [, ended, left, lost] = await orm.batch([
        ...move("terminated", all(waitedUntil(now), gone), now, {
          statusReason: reason,
        }),
        order(
          { status: "completed", reason: CLIENT_NOT_BACK },
          all(gone, wasKept),
          now,
        ),
        order(
          { status: "terminated", reason },
          all(gone, sql`NOT (${wasKept})`),
          now,
        ),
      ]);
      return [...ended, ...left, ...lost];
    },
    async endDrained(now) {
      const over = orm.select({ id: workers.id }).from(workers).where(
        lt(workers.drainDeadlineAt, now),
      );
      return await order(
        {
          status: "terminated",
          reason: "its worker had to leave: the time to drain was over",
        },
        inArray(sessions.workerId, over),
        now,
      );
    },
    async enforceStops(since, now) {
      const late = all(isHeld, lt(sessions.stopRequestedAt, since));
      const results = await orm.batch(endOrdered(move, late, now));
      return collectChanges(results);
    },
    prune: (before) => prune(orm, before),
  };
}

/** The two kinds of statements: a change of status, and an order to the worker. */
function statements(orm: LibSQLDatabase) {
  const move: Move = (status, condition, now, changes) =>
    transition(orm, status, capped(condition), now, changes);
  const order = (
    stop: Pick<Stop, "status"> & { readonly reason: string | SQL },
    condition: SQL,
    now: number,
  ) =>
    orm.update(sessions).set({
      stopRequestedAt: now,
      stopStatus: stop.status,
      stopReason: stop.reason,
    }).where(
      capped(all(isHeld, isNull(sessions.stopRequestedAt), condition)),
    ).returning({
      id: sessions.id,
      status: sessions.status,
      workPoolId: sessions.workPoolId,
      workerId: sessions.workerId,
    });
  return { move, order };
}

// Written out, as in the index of those that wait.
const isPending = sql`${sessions.status} = 'pending'`;

/** Finds the pending ones that may not wait any more, whatever the rule, without a search of the whole queue. */
function waitedUntil(now: number): SQL {
  return all(isPending, lt(waitsUntil(sessions), now));
}

/** Whether it waits for its client to come back: it has had one. */
const wasKept = sql`${sessions.status} = 'running'
  AND ${sessions.keepAliveSeconds} IS NOT NULL`;

const CLIENT_NOT_BACK = sql`printf('its client did not come back within %g s',
  ${sessions.keepAliveSeconds})`;

const isHeld = inArray(sessions.status, [...HELD_STATUSES]);

/** No lease ends much later than one that is given now: a clock that was set back would keep the dead alive. Another server may give longer ones. */
function clampLeases(orm: LibSQLDatabase, now: number, leaseMs: number) {
  return orm.update(sessions).set({ leaseExpiresAt: now + leaseMs }).where(
    all(isHeld, sql`${sessions.leaseExpiresAt} > ${now + 10 * leaseMs}`),
  );
}

/** Returns the reason why each session was not started in time, as a sentence, by session id. */
function findReasons(
  overdue: readonly Pick<Session, "id" | "statusReason" | "waiting">[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(overdue.map((session) => [
    session.id,
    `its queue deadline passed: ${renderStatusReason(session)}`,
  ]));
}

/** Returns the statements that fail each session that still meets `condition`, with its reason. */
function failWith(
  move: Move,
  reasons: Readonly<Record<string, string>>,
  condition: SQL,
  now: number,
): ReturnType<Move> {
  const json = JSON.stringify(reasons);
  const isOne = sql`${sessions.id} IN (SELECT key FROM json_each(${json}))`;
  return move("failed", all(condition, isOne), now, {
    statusReason: sql`json_extract(${json}, '$."' || ${sessions.id} || '"')`,
  });
}

/** The first of the sessions that meet `condition`. */
function capped(condition: SQL): SQL {
  return sql`${sessions.id} IN (SELECT ${sessions.id} FROM ${sessions}
    WHERE ${condition} ORDER BY ${sessions.id} LIMIT ${MAX_ROWS})`;
}
