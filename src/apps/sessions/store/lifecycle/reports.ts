/**
 * Applies the reports of a worker for all its sessions at once: the number of statements does not grow with the number of
 * reports.
 *
 * @module
 */
import { eq } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database, Statement } from "../../../../core/database.ts";
import { batchNamed } from "../../../../db/batch_named.ts";
import { sessions } from "../../models.ts";
import type {
  ReportResult,
  SessionReport,
  StopCommand,
} from "../../schemas/leases.ts";
import { isTerminal } from "../../status.ts";
import { selectCommands, toStopCommand } from "./commands.ts";
import { type Move, type Moves, requeueOrCrash } from "./lease_expiry.ts";
import { all, isProvenWorker } from "../conditions.ts";
import {
  acknowledgeStops,
  insertMetrics,
  insertProgress,
  insertStatusEvents,
  renewLeases,
  type ReportedSession,
  type ReportInput,
  selectReportedSessions,
  updateStatuses,
} from "./report_statements.ts";
import { collectChanges, type StatusChange, transition } from "./transition.ts";

/** Statements that run in one batch with a worker's reports, before and after them. */
export interface SurroundingStatements<F, L> {
  readonly first: Statement<F>;
  readonly last: Statement<L>;
}

/** The result of a worker's reports. */
export interface ReportOutcome<F, L> {
  /** Results of the surrounding statements. */
  readonly first: F;
  readonly last: L;
  readonly results: readonly ReportResult[];
  readonly commands: readonly StopCommand[];
  readonly changed: readonly StatusChange[];
}

/**
 * Applies reports, renews the leases of the reported sessions, and reads the worker's commands, in one batch with the
 * surrounding statements. One round trip.
 */
export async function applyReports<F, L>(
  { orm }: Database,
  input: ReportInput,
  { first, last }: SurroundingStatements<F, L>,
): Promise<ReportOutcome<F, L>> {
  const results = await batchNamed(orm, {
    first,
    progress: insertProgress(orm, input),
    events: insertStatusEvents(orm, input),
    changed: updateStatuses(orm, input),
    renewed: renewLeases(orm, input),
    acknowledged: acknowledgeStops(orm, input),
    metrics: insertMetrics(orm, input),
    reported: selectReportedSessions(orm, input),
    commands: selectCommands(orm, input.workerId),
    last,
    lost: input.isLast ? releaseAll(orm, input) : [],
  });
  return {
    first: results.first,
    last: results.last,
    results: input.reports.map((report) =>
      toReportResult(report, results.reported, input.now)
    ),
    commands: results.commands.map(toStopCommand),
    changed: [...results.changed, ...collectChanges(results.lost)],
  };
}

/** Ends the worker's leases, such as the leases of a claim whose response it never received. */
function releaseAll(orm: LibSQLDatabase, input: ReportInput): Moves {
  const { workerId, now, maxAttempts } = input;
  const isHeld = all(
    eq(sessions.workerId, workerId),
    isProvenWorker(workerId, input.caller),
  );
  const move: Move = (status, condition, at, changes) =>
    transition(orm, status, condition, at, changes);
  return requeueOrCrash(move, isHeld, {
    now,
    maxAttempts,
    why: "its worker left",
  });
}

/** Accepts a report if the worker still holds the session, or if the session has just ended as reported. */
function toReportResult(
  { session_id, status }: SessionReport,
  reported: readonly ReportedSession[],
  now: number,
): ReportResult {
  // A released session has no browser to end, whichever worker holds it now.
  if (status === "released") return { session_id, result: "accepted" };
  const session = reported.find(({ id }) => id === session_id);
  if (session === undefined) return { session_id, result: "lease_lost" };
  if (isTerminal(session.status)) {
    const result = isTerminal(status) ? "accepted" : "lease_lost";
    return { session_id, result };
  }
  const expires_in_ms = Math.max(0, session.expiresAt - now);
  return { session_id, result: "accepted", expires_in_ms };
}
