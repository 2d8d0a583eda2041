import type { ResultSet } from "@libsql/client";
import { and, eq, inArray, type SQL, sql } from "drizzle-orm";
import type { Statement } from "../../../core/database.ts";
import { sessions } from "../models.ts";
import {
  HELD_STATUSES,
  isTerminal,
  SESSION_STATUSES,
  type SessionStatus,
} from "../status.ts";
import type { ColumnChanges, StatusChange, transition } from "./transition.ts";

/**
 * Least time that a session has to be claimed after it was queued again: at the end of its time in the queue it would
 * fail at once, as if no worker had taken it. Bounded, for so are the attempts.
 */
const MIN_REQUEUE_MS = 60_000;

/** Makes the statements that move every session that meets a condition. */
export type Move = (
  status: SessionStatus | SQL,
  condition: SQL,
  now: number,
  changes: ColumnChanges,
) => ReturnType<typeof transition>;

/** Several moves, for one batch. */
export type Moves = readonly [
  Statement<ResultSet>,
  ...(Statement<ResultSet> | Statement<StatusChange[]>)[],
];

/** How sessions are lost. */
export interface LeaseLoss {
  readonly now: number;
  /** Claims of one session after which it is not queued again. */
  readonly maxAttempts: number;
  /** For people: "its worker was lost". */
  readonly why: string;
}

/**
 * The statements for held sessions that have lost their worker: what was ordered to end has ended as ordered, what was
 * starting is queued again, but not for ever, what was running has crashed.
 */
export function requeueOrCrash(
  move: Move,
  condition: SQL,
  { now, maxAttempts, why }: LeaseLoss,
): Moves {
  const held = all(inArray(sessions.status, [...HELD_STATUSES]), condition);
  // Moves may be capped: what the first of them leaves is for the next pass, not for the next move.
  const lost = all(held, sql`NOT ${isToEnd}`);
  const starting = all(lost, eq(sessions.status, "starting"));
  const isTooOften = sql`(${sessions.startAttempts} >= ${maxAttempts})`;
  return [
    ...endOrdered(move, held, now),
    ...move("failed", all(starting, isTooOften), now, {
      statusReason: `${why} while it started, too often`,
    }),
    ...move("pending", all(starting, sql`NOT ${isTooOften}`), now, {
      workerId: null,
      leaseExpiresAt: null,
      claimRequestId: null,
      queueDeadlineAt: extendQueueDeadline(now),
      statusReason: `${why} while it started`,
    }),
    ...move("crashed", all(lost, eq(sessions.status, "running")), now, {
      statusReason: why,
      endpoint: null,
    }),
  ];
}

/** What was ordered to end ends as it was ordered; a forced one is kept as an order, for the worker may come back. */
export function endOrdered(move: Move, condition: SQL, now: number): Moves {
  return move(sql`${sessions.stopStatus}`, all(condition, isToEnd), now, {
    statusReason: sql`${sessions.stopReason}`,
    endpoint: null,
    stopForce: sql`1`,
  });
}

/** Whether a session was ordered to end, never null. */
const isToEnd: SQL = sql`(${sessions.stopRequestedAt} IS NOT NULL
  AND coalesce(${sessions.stopStatus}, '') IN ${
  sql.raw(`('${SESSION_STATUSES.filter(isTerminal).join("', '")}')`)
})`;

/** The queue deadline of a session that is queued again at `now`. */
export function extendQueueDeadline(now: number): SQL {
  return sql`max(${sessions.queueDeadlineAt}, ${now + MIN_REQUEUE_MS})`;
}

/** All of the conditions. */
export function all(...conditions: readonly SQL[]): SQL {
  return and(...conditions) ?? sql`1`;
}
