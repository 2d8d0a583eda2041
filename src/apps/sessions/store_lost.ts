import type { ResultSet } from "@libsql/client";
import { and, eq, inArray, isNotNull, type SQL, sql } from "drizzle-orm";
import type { Statement } from "../../core/db/client.ts";
import { sessions } from "./models.ts";
import { HELD_STATUSES, type SessionStatus } from "./status.ts";
import type { Changed, Changes, transition } from "./store_transition.ts";

/** Makes the statements that move every session that meets a condition. */
export type Move = (
  status: SessionStatus,
  condition: SQL,
  now: number,
  changes: Changes,
) => ReturnType<typeof transition>;

/** Several moves, for one batch. */
export type Moves = readonly [
  Statement<ResultSet>,
  ...(Statement<ResultSet> | Statement<Changed[]>)[],
];

/** How sessions are lost. */
export interface Loss {
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
export function lossOf(
  move: Move,
  condition: SQL,
  { now, maxAttempts, why }: Loss,
): Moves {
  const held = all(inArray(sessions.status, [...HELD_STATUSES]), condition);
  const starting = all(held, eq(sessions.status, "starting"));
  const isTooOften = sql`${sessions.startAttempts} >= ${maxAttempts}`;
  return [
    ...orderedEnds(move, held, now),
    ...move("failed", all(starting, isTooOften), now, {
      statusReason: `${why} while it started, too often`,
    }),
    ...move("pending", starting, now, {
      workerId: null,
      leaseExpiresAt: null,
      claimRequestId: null,
      statusReason: `${why} while it started`,
    }),
    ...move("crashed", all(held, eq(sessions.status, "running")), now, {
      statusReason: why,
      endpoint: null,
    }),
  ];
}

/** What was ordered to end ends as it was ordered; a forced one is kept as an order, for the worker may come back. */
export function orderedEnds(move: Move, condition: SQL, now: number): Moves {
  const ordered = all(condition, isNotNull(sessions.stopRequestedAt));
  const end = (status: SessionStatus) =>
    move(status, all(ordered, eq(sessions.stopStatus, status)), now, {
      statusReason: sql`${sessions.stopReason}`,
      endpoint: null,
      stopForce: sql`1`,
    });
  return [
    ...end("completed"),
    ...end("terminated"),
    ...end("expired"),
    ...end("timed_out"),
  ];
}

/** All of the conditions. */
export function all(...conditions: readonly SQL[]): SQL {
  return and(...conditions) ?? sql`1`;
}
