import type { ResultSet } from "@libsql/client";
import { eq, inArray, type SQL, sql } from "drizzle-orm";
import type { Statement } from "../../../../core/database.ts";
import { sessions } from "../../models.ts";
import {
  HELD_STATUSES,
  isTerminal,
  SESSION_STATUSES,
  type SessionStatus,
} from "../../status.ts";
import { all } from "../conditions.ts";
import type { ColumnChanges, StatusChange, Transition } from "./transition.ts";

/**
 * Minimum time that a requeued session has to be claimed: at its queue deadline it would fail at once, as if no worker had
 * claimed it. The number of attempts is limited.
 */
const MIN_REQUEUE_MS = 60_000;

/** Returns the statements that move every session that meets a condition. */
export type Move = (
  status: SessionStatus | SQL,
  condition: SQL,
  now: number | SQL,
  changes: ColumnChanges,
) => Transition;

/** The statements of several moves, for one batch. */
export type Moves =
  readonly (Statement<ResultSet> | Statement<StatusChange[]>)[];

/** A loss of leases. */
export interface LeaseLoss {
  readonly now: number | SQL;
  /** Number of claims after which a session is not queued again. */
  readonly maxAttempts: number | SQL;
  /** Text for status_reason: "its worker was lost". */
  readonly why: string;
}

/**
 * Returns the statements for held sessions that have lost their worker: a session with a stop command ends as commanded, a
 * starting session is queued again up to the limit of attempts, and a running session has crashed.
 */
export function requeueOrCrash(
  move: Move,
  condition: SQL,
  { now, maxAttempts, why }: LeaseLoss,
): Moves {
  const held = all(inArray(sessions.status, [...HELD_STATUSES]), condition);
  // A move may be limited in rows: the rest is left to the next pass, not to the next move.
  const lost = all(held, sql`NOT ${hasTerminalStop}`);
  const starting = all(lost, eq(sessions.status, "starting"));
  const isLastAttempt = sql`(${sessions.startAttempts} >= ${maxAttempts})`;
  return [
    ...endAsCommanded(move, held, now),
    ...listStatements(move("failed", all(starting, isLastAttempt), now, {
      statusReason: `${why} while it started, too often`,
    })),
    ...listStatements(
      move("pending", all(starting, sql`NOT ${isLastAttempt}`), now, {
        workerId: null,
        leaseExpiresAt: null,
        claimRequestId: null,
        queueDeadlineAt: extendQueueDeadline(now),
        statusReason: `${why} while it started`,
      }),
    ),
    ...listStatements(
      move("crashed", all(lost, eq(sessions.status, "running")), now, {
        statusReason: why,
        endpoint: null,
      }),
    ),
  ];
}

/** Returns the statements that end sessions as commanded. The command stays, for a worker that reconnects. */
export function endAsCommanded(
  move: Move,
  condition: SQL,
  now: number | SQL,
): Moves {
  return listStatements(
    move(sql`${sessions.stopStatus}`, all(condition, hasTerminalStop), now, {
      statusReason: sql`${sessions.stopReason}`,
      endpoint: null,
      stopForce: sql`1`,
    }),
  );
}

/** Condition that a session has a stop command with a terminal status; never null. */
const hasTerminalStop: SQL = sql`(${sessions.stopRequestedAt} IS NOT NULL
  AND coalesce(${sessions.stopStatus}, '') IN ${
  sql.raw(`('${SESSION_STATUSES.filter(isTerminal).join("', '")}')`)
})`;

/** Returns the queue deadline of a session that is queued again at `now`. */
export function extendQueueDeadline(now: number | SQL): SQL {
  return sql`max(${sessions.queueDeadlineAt}, ${now} + ${MIN_REQUEUE_MS})`;
}

function listStatements({ event, changed }: Transition): Moves {
  return [event, changed];
}
