/**
 * Queries of the reconciler: the deadlines of sessions.
 *
 * Each is guarded, so that a second run changes nothing more, and changes at most {@linkcode MAX_ROWS} rows, so that a
 * jump of the clock does not end every session at once.
 *
 * @module
 */
import { eq, inArray, isNull, lt, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database } from "../../../../core/database.ts";
import { batchNamed } from "../../../../db/batch_named.ts";
import { workers } from "../../../workers/models.ts";
import { sessions, waitsUntil } from "../../models.ts";
import { type Session } from "../../session.ts";
import { renderStatusReason } from "../../render.ts";
import { HELD_STATUSES } from "../../status.ts";
import { type ActivityChange, markIdle } from "./activity.ts";
import { all } from "../conditions.ts";
import {
  endAsCommanded,
  type LeaseLoss,
  type Move,
  requeueOrCrash,
} from "./lease_expiry.ts";
import { queueStateColumn } from "../queue/queue_state.ts";
import type { Stop } from "./stops.ts";
import {
  collectChanges,
  type StatusChange,
  statusChangeColumns,
  transition,
} from "./transition.ts";

/** Maximum number of rows that one statement of a pass changes. */
const MAX_ROWS = 200;

/** A stop command whose reason may be SQL over the row. */
interface StopReason extends Pick<Stop, "status"> {
  readonly reason: string | SQL;
}

/** Deadlines of sessions. Each method is one round trip, unless it says more. */
export class DeadlineStore {
  readonly #orm: Database["orm"];

  constructor({ orm }: Database) {
    this.#orm = orm;
  }

  /** Ends leases that have expired: `starting` is queued again or fails, `running` has crashed, a stopped session ends. */
  async expireLeases(
    now: number,
    { maxAttempts, leaseMs }: Pick<LeaseLoss, "maxAttempts"> & {
      readonly leaseMs: number;
    },
  ): Promise<readonly StatusChange[]> {
    const isExpired = lt(sessions.leaseExpiresAt, now);
    const loss = { now, maxAttempts, why: "its worker was lost" };
    const { lost } = await batchNamed(this.#orm, {
      clamped: clampLeases(this.#orm, now, leaseMs),
      lost: requeueOrCrash(this.#moveBy("sessions_lease"), isExpired, loss),
    });
    return collectChanges(lost);
  }

  /** Fails sessions that no worker claimed in time, with the reason why they waited. A second round trip if there are any. */
  async failOverdue(now: number): Promise<readonly StatusChange[]> {
    const isOverdue = all(
      canWaitNoLonger(now),
      lt(sessions.queueDeadlineAt, now),
    );
    const overdue = await this.#orm.select({
      id: sessions.id,
      statusReason: sessions.statusReason,
      waiting: queueStateColumn(),
    }).from(sessions).where(limited("sessions_waiting", isOverdue));
    if (overdue.length === 0) return [];
    const reasons = JSON.stringify(findReasons(overdue));
    const isFound =
      sql`${sessions.id} IN (SELECT key FROM json_each(${reasons}))`;
    const { changed } = await batchNamed(
      this.#orm,
      this.#moveBy("sessions_waiting")("failed", all(isOverdue, isFound), now, {
        statusReason:
          sql`json_extract(${reasons}, '$."' || ${sessions.id} || '"')`,
      }),
    );
    return changed;
  }

  /** Fails sessions whose start took too long, whatever their workers report. */
  async failSlowStarts(now: number): Promise<readonly StatusChange[]> {
    const isLate = all(
      eq(sessions.status, "starting"),
      lt(sessions.startDeadlineAt, now),
    );
    const reason = "it did not start in time";
    const { changed } = await batchNamed(
      this.#orm,
      this.#moveBy("sessions_status")("failed", isLate, now, {
        statusReason: reason,
        // The worker may still be starting the browser.
        stopRequestedAt: now,
        stopStatus: "terminated",
        stopReason: reason,
        stopForce: true,
      }),
    );
    return changed;
  }

  /** Ends pending sessions whose lifetime has passed, and stops held ones. */
  async expireLifetimes(now: number): Promise<readonly StatusChange[]> {
    const isOver = all(
      isNull(sessions.endedAt),
      lt(sessions.expiresAt, now),
    );
    const index = "sessions_lifetime";
    const reason = "its maximum lifetime passed";
    const { changed, stopped } = await batchNamed(this.#orm, {
      ...this.#moveBy(index)("expired", all(isPending, isOver), now, {
        statusReason: reason,
      }),
      stopped: this.#stop({ status: "expired", reason }, isOver, {
        now,
        index,
      }),
    });
    return [...changed, ...stopped];
  }

  /** Marks sessions without traffic as idle. */
  async markIdle(now: number): Promise<readonly ActivityChange[]> {
    const statements = markIdle(
      this.#orm,
      now,
      (condition) => limited("sessions_status", condition),
    );
    const { changed } = await batchNamed(this.#orm, statements);
    return changed;
  }

  /** Stops sessions that no client used for their idle timeout. */
  async timeOutIdle(now: number): Promise<readonly StatusChange[]> {
    const isIdle = sql`${sessions.status} = 'running'
      AND ${sessions.idleTimeoutSeconds} IS NOT NULL
      AND coalesce(${sessions.lastActivityAt}, ${sessions.startedAt})
        + ${sessions.idleTimeoutSeconds} * 1000 < ${now}`;
    const reason = "no client used it for its idle timeout";
    return await this.#stop({ status: "timed_out", reason }, isIdle, { now });
  }

  /** Stops ephemeral sessions whose client has not reconnected, or was lost together with its server. */
  async endAbandoned(now: number): Promise<readonly StatusChange[]> {
    const isGone = lt(sessions.clientSeenUntil, now);
    const reason = "its client was lost together with its server";
    const { changed, notBack, lost } = await batchNamed(this.#orm, {
      ...this.#moveBy("sessions_waiting")(
        "terminated",
        all(canWaitNoLonger(now), isGone),
        now,
        { statusReason: reason },
      ),
      notBack: this.#stop(
        { status: "completed", reason: CLIENT_NOT_BACK },
        all(isGone, awaitsClient),
        { now },
      ),
      lost: this.#stop(
        { status: "terminated", reason },
        all(isGone, sql`NOT (${awaitsClient})`),
        { now },
      ),
    });
    return [...changed, ...notBack, ...lost];
  }

  /** Stops the sessions of workers whose time to drain has passed. */
  async endDrained(now: number): Promise<readonly StatusChange[]> {
    return await this.#stop(
      {
        status: "terminated",
        reason: "its worker had to leave: the time to drain has passed",
      },
      sql`${sessions.workerId} IN (SELECT ${workers.id}
        FROM ${workers} INDEXED BY workers_drain
        WHERE ${workers.drainDeadlineAt} < ${now})`,
      { now, index: "sessions_worker" },
    );
  }

  /** Ends the records of sessions whose stop commands from before `since` were not obeyed. */
  async enforceStops(
    since: number,
    now: number,
  ): Promise<readonly StatusChange[]> {
    const isLate = all(isHeld, lt(sessions.stopRequestedAt, since));
    const { ended } = await batchNamed(this.#orm, {
      ended: endAsCommanded(this.#moveBy("sessions_status"), isLate, now),
    });
    return collectChanges(ended);
  }

  /** Returns the statements of moves whose condition an index serves. */
  #moveBy(index: SessionIndex): Move {
    return (status, condition, now, changes) =>
      transition(this.#orm, status, limited(index, condition), now, changes);
  }

  /** Returns the statement that stores a stop command for held sessions that have none. */
  #stop(
    { status, reason }: StopReason,
    condition: SQL,
    { now, index = "sessions_status" }: {
      readonly now: number;
      readonly index?: SessionIndex;
    },
  ) {
    const isFree = all(isHeld, isNull(sessions.stopRequestedAt), condition);
    return this.#orm.update(sessions).set({
      stopRequestedAt: now,
      stopStatus: status,
      stopReason: reason,
    }).where(limited(index, isFree)).returning(statusChangeColumns);
  }
}

// Written out, as in the index of pending sessions.
const isPending = sql`${sessions.status} = 'pending'`;

/** Condition that a pending session may not wait any longer, for any reason. Uses an index instead of the whole queue. */
function canWaitNoLonger(now: number): SQL {
  return all(isPending, lt(waitsUntil(sessions), now));
}

/** Condition that a session waits for its client to reconnect. */
const awaitsClient = sql`${sessions.status} = 'running'
  AND ${sessions.keepAliveSeconds} IS NOT NULL`;

const CLIENT_NOT_BACK = sql`printf('its client did not come back within %g s',
  ${sessions.keepAliveSeconds})`;

const isHeld = inArray(sessions.status, [...HELD_STATUSES]);

/**
 * Returns the statement that shortens leases far in the future: after the clock was set back they would keep lost sessions
 * alive. The limit of ten leases leaves room for servers with longer leases.
 */
function clampLeases(orm: LibSQLDatabase, now: number, leaseMs: number) {
  return orm.update(sessions).set({ leaseExpiresAt: now + leaseMs }).where(
    limited(
      "sessions_lease",
      all(isHeld, sql`${sessions.leaseExpiresAt} > ${now + 10 * leaseMs}`),
    ),
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

/** An index that finds what is due without the sessions that have ended. */
type SessionIndex =
  | "sessions_lease"
  | "sessions_lifetime"
  | "sessions_status"
  | "sessions_waiting"
  | "sessions_worker";

/**
 * Returns the condition that a session is among the first of `index` that meet `condition`. The same text selects the
 * same sessions for an event and for the change that it records: both read the index in its order.
 */
function limited(index: SessionIndex, condition: SQL): SQL {
  return sql`${sessions.id} IN (SELECT ${sessions.id}
    FROM ${sessions} INDEXED BY ${sql.identifier(index)}
    WHERE ${condition} LIMIT ${MAX_ROWS})`;
}
