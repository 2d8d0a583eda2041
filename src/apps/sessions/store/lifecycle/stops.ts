import { and, eq, inArray, isNull, or, sql } from "drizzle-orm";
import type { Database } from "../../../../core/database.ts";
import { batchNamed } from "../../../../db/batch_named.ts";
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
  readonly #orm: Database["orm"];

  constructor({ orm }: Database) {
    this.#orm = orm;
  }

  /** Ends a pending session; for a held one, stores the command that its worker receives. */
  async stop(ref: SessionRef, stop: Stop, now: number): Promise<StopResult> {
    const endsAtOnce = and(
      isSession(ref),
      inArray(
        sessions.status,
        stop.force ? ["pending", ...HELD_STATUSES] : ["pending"],
      ),
    ) ?? sql`0`;
    const command = {
      stopRequestedAt: now,
      stopStatus: stop.status,
      stopReason: stop.reason,
      stopForce: stop.force ?? stop.kill ?? false,
    };
    const changes = { statusReason: stop.reason, ...command };
    const { changed, found } = await batchNamed(this.#orm, {
      ...transition(this.#orm, stop.status, endsAtOnce, now, changes),
      ordered: this.#orm.update(sessions).set(command).where(and(
        isSession(ref),
        inArray(sessions.status, [...HELD_STATUSES]),
        isNull(sessions.stopRequestedAt),
      )),
      found: selectSession(this.#orm, ref),
    });
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
    const timeout = sql`${sessions.resourceLimits} ->> 'timeout_minutes'`;
    const expiresAt = minutes === undefined
      ? sql`${now} + CAST(${timeout} * 60000 AS INTEGER)`
      : now + Math.round(minutes * 60_000);
    const { found } = await batchNamed(this.#orm, {
      moved: this.#orm.update(sessions).set({
        expiresAt,
        updatedAt: now,
        stopRequestedAt: null,
        stopStatus: null,
        stopReason: null,
      }).where(and(
        isSession(ref),
        inArray(sessions.status, ["pending", ...HELD_STATUSES]),
        or(
          isNull(sessions.stopRequestedAt),
          and(
            eq(sessions.stopStatus, "expired"),
            eq(sessions.stopForce, sql`0`),
          ),
        ),
      )),
      found: selectSession(this.#orm, ref),
    });
    return found[0];
  }
}
