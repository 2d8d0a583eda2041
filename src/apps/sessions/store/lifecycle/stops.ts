import { and, inArray, isNull, or, sql } from "drizzle-orm";
import type { Database } from "../../../../core/database.ts";
import { batchNamed } from "../../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../../db/prepare.ts";
import { sessions } from "../../models.ts";
import type { Session } from "../../session.ts";
import { HELD_STATUSES } from "../../status.ts";
import {
  isSession,
  selectSession,
  type SessionRef,
} from "../select_session.ts";
import { type StatusChange, transition } from "./transition.ts";

/** A request to stop a session. */
export interface Stop {
  /** The status in which the session ends. */
  readonly status: "completed" | "terminated" | "expired" | "timed_out";
  readonly reason: string;
  /** End the record at once, and kill the browser. @default {false} */
  readonly force?: boolean;
  /** Kill the browser; the record ends when the worker has reported it. @default {false} */
  readonly kill?: boolean;
}

/** The session after a stop, and the changes of status. */
export interface StopResult {
  readonly session?: Session | undefined;
  readonly changes: readonly StatusChange[];
}

/** Changes to the end of sessions. Each method is one round trip. */
export class StopStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Ends a pending session; for a held one, stores the command that its worker receives. */
  async stop(ref: SessionRef, stop: Stop, now: number): Promise<StopResult> {
    const { status, reason, force = false, kill = false } = stop;
    const values = {
      ...ref,
      now,
      status,
      reason,
      endsHeld: force,
      stopForce: stop.force ?? kill,
    };
    const { changed, found } = await batchNamed(
      this.#db.orm,
      stopSession(this.#db, values),
    );
    return { session: found[0], changes: changed };
  }

  /**
   * Moves the end of a session that has not ended, and cancels a stop that its age caused.
   *
   * @param minutes From now. Undefined: the session's own `timeout_minutes`.
   */
  async refresh(
    ref: SessionRef,
    minutes: number | undefined,
    now: number,
  ): Promise<Session | undefined> {
    const expiresAt = minutes === undefined
      ? null
      : now + Math.round(minutes * 60_000);
    const { found } = await batchNamed(
      this.#db.orm,
      refreshSession(this.#db, { ...ref, now, expiresAt }),
    );
    return found[0];
  }
}

interface StopValues extends SessionRef {
  readonly now: number;
  readonly status: Stop["status"];
  readonly reason: string;
  /** The record of a session that a worker holds ends at once, too. */
  readonly endsHeld: boolean;
  readonly stopForce: boolean;
}

const isPending = sql`${sessions.status} = 'pending'`;

const isHeld = inArray(sessions.status, [...HELD_STATUSES]);

const stopSession = prepare(({ orm }, bind: Bind<StopValues>) => {
  const command = {
    stopRequestedAt: bind("now"),
    stopStatus: bind("status"),
    stopReason: bind("reason"),
    stopForce: bind("stopForce"),
  };
  const endsAtOnce = sql`${isSession(bind)}
    AND (${isPending} OR ${bind("endsHeld")} AND ${isHeld})`;
  const changes = { statusReason: bind("reason"), ...command };
  const now = bind("now");
  return {
    ...transition(orm, bind("status"), endsAtOnce, now, changes),
    ordered: orm.update(sessions).set(command).where(
      and(isSession(bind), isHeld, isNull(sessions.stopRequestedAt)),
    ),
    found: selectSession(orm, bind),
  };
});

interface RefreshValues extends SessionRef {
  readonly now: number;
  /** Null: the session's own `timeout_minutes` from now. */
  readonly expiresAt: number | null;
}

const refreshSession = prepare(({ orm }, bind: Bind<RefreshValues>) => {
  const timeout = sql`${sessions.resourceLimits} ->> 'timeout_minutes'`;
  const isStopOfAge = sql`${sessions.stopStatus} = 'expired'
    AND ${sessions.stopForce} = 0`;
  return {
    moved: orm.update(sessions).set({
      expiresAt: sql`coalesce(${bind("expiresAt")},
        ${bind("now")} + CAST(${timeout} * 60000 AS INTEGER))`,
      updatedAt: bind("now"),
      stopRequestedAt: null,
      stopStatus: null,
      stopReason: null,
    }).where(and(
      isSession(bind),
      or(isPending, isHeld),
      or(isNull(sessions.stopRequestedAt), isStopOfAge),
    )),
    found: selectSession(orm, bind),
  };
});
