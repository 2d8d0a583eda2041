/**
 * Applies the reports of a worker for all its sessions at once: the number of statements does not grow with the number of
 * reports.
 *
 * @module
 */
import { eq } from "drizzle-orm";
import type { Database, Statement } from "../../../../core/database.ts";
import { batchNamed } from "../../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../../db/prepare.ts";
import {
  bindCaller,
  toCallerValues,
  type WorkerCaller,
} from "../../../../http/auth/worker_caller.ts";
import { sessions } from "../../models.ts";
import type {
  ReportResult,
  SessionReport,
  StopCommand,
} from "../../schemas/leases.ts";
import { isTerminal } from "../../status.ts";
import {
  type FollowedRow,
  followStatements,
  selectCommands,
  toStopCommand,
} from "./commands.ts";
import { type Move, requeueOrCrash } from "./lease_expiry.ts";
import {
  groupObservations,
  type ObservedSession,
  selectObservations,
} from "./observations.ts";
import { all, isProvenWorker } from "../conditions.ts";
import {
  acknowledgeStops,
  insertProgress,
  insertReportedMetrics,
  insertStatusEvents,
  renewLeases,
  type ReportedSession,
  type ReportValues,
  selectReportedSessions,
  updateStatuses,
} from "./report_statements.ts";
import { collectChanges, type StatusChange, transition } from "./transition.ts";

/** The reports of a worker. */
export interface ReportInput {
  readonly workerId: string;
  /** The caller. Reports of a process that is not the worker's current one are ignored. */
  readonly caller: WorkerCaller;
  readonly reports: readonly SessionReport[];
  readonly now: number;
  readonly leaseMs: number;
  readonly startTimeoutMs: number;
  /** Number of claims after which a session is not queued again. */
  readonly maxAttempts: number;
  /** True if the worker leaves: it holds no session that it does not report. */
  readonly isLast: boolean;
}

/** Statements that run in one batch with a worker's reports, before and after them. */
export interface SurroundingStatements<F, L> {
  /** Record an event and measurements, before everything else. */
  readonly before: readonly Statement<unknown>[];
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
  /** The held sessions whose browsers are observed. */
  readonly observed: readonly ObservedSession[];
  /** The held sessions whose output clients follow. */
  readonly followed: readonly FollowedRow[];
  readonly changed: readonly StatusChange[];
}

/**
 * Applies reports, renews the leases of the reported sessions, and reads the worker's commands and what it observes, in one
 * batch with the surrounding statements. One round trip.
 */
export async function applyReports<F, L>(
  db: Database,
  input: ReportInput,
  { before, first, last }: SurroundingStatements<F, L>,
): Promise<ReportOutcome<F, L>> {
  const values = toValues(input);
  const results = await batchNamed(db.orm, {
    before,
    first,
    ...selectStatements(db, input.reports, values),
    last,
    lost: input.isLast ? leaveStatements(db, values).lost : [],
  });
  const reported = results.reported.flat();
  return {
    first: results.first,
    last: results.last,
    results: input.reports.map((report) =>
      toReportResult(report, reported, input.now)
    ),
    commands: results.commands.map(toStopCommand),
    observed: groupObservations(results.observed),
    followed: [
      ...new Map(results.followed.map((row) => [row.session_id, row])).values(),
    ],
    changed: [...results.changed.flat(), ...collectChanges(results.lost)],
  };
}

/** Returns the statements that the reports need: most heartbeats report neither progress nor an end, or nothing at all. */
function selectStatements(
  db: Database,
  reports: readonly SessionReport[],
  values: ReportValues,
) {
  const statements = reportStatements(db, values);
  const isAny = reports.length > 0;
  const hasProgress = reports.some(({ progress = [] }) => progress.length > 0);
  const hasMetrics = reports.some(({ metrics }) => metrics !== undefined);
  const hasEnd = reports.some(({ status }) =>
    status === "released" || isTerminal(status)
  );
  return {
    progress: onlyIf(hasProgress, statements.progress),
    events: onlyIf(isAny, statements.events),
    changed: onlyIf(isAny, statements.changed),
    renewed: onlyIf(isAny, statements.renewed),
    acknowledged: onlyIf(hasEnd, statements.acknowledged),
    metrics: onlyIf(hasMetrics, statements.metrics),
    reported: onlyIf(isAny, statements.reported),
    commands: statements.commands,
    observed: statements.observed,
    delivered: statements.delivered,
    followed: statements.followed,
  };
}

function onlyIf<T>(
  condition: boolean,
  statement: Statement<T>,
): readonly Statement<T>[] {
  return condition ? [statement] : [];
}

function toValues(
  { caller, reports, now, leaseMs, startTimeoutMs, ...values }: ReportInput,
): ReportValues {
  return {
    ...values,
    ...toCallerValues(caller),
    reports: JSON.stringify(reports),
    now,
    leaseExpiresAt: now + leaseMs,
    startDeadlineAt: now + startTimeoutMs + leaseMs,
  };
}

const reportStatements = prepare(({ orm }, bind: Bind<ReportValues>) => ({
  progress: insertProgress(orm, bind),
  events: insertStatusEvents(orm, bind),
  changed: updateStatuses(orm, bind),
  renewed: renewLeases(orm, bind),
  acknowledged: acknowledgeStops(orm, bind),
  metrics: insertReportedMetrics(orm, bind),
  reported: selectReportedSessions(orm, bind),
  commands: selectCommands(orm, bind("workerId")),
  observed: selectObservations(orm, bind("workerId"), bind("now")),
  ...followStatements(orm, bind),
}));

/** End the worker's leases, such as the leases of a claim whose response it never received. */
const leaveStatements = prepare(({ orm }, bind: Bind<ReportValues>) => {
  const isHeld = all(
    eq(sessions.workerId, bind("workerId")),
    isProvenWorker(bind("workerId"), bindCaller(bind)),
  );
  const move: Move = (status, condition, at, changes) =>
    transition(orm, status, condition, at, changes);
  return {
    lost: requeueOrCrash(move, isHeld, {
      now: bind("now"),
      maxAttempts: bind("maxAttempts"),
      why: "its worker left",
    }),
  };
});

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
