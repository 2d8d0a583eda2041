/**
 * Applies what a worker reports, all sessions at once: the number of statements does not grow with their number.
 *
 * Every statement joins the reports with the sessions on id, worker and fencing token, so that a stale report changes
 * nothing; and on the status, so that a repeated one changes nothing more.
 *
 * @module
 */
import type { ResultSet } from "@libsql/client";
import { eq, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database, Statement } from "../../../core/database.ts";
import type { WorkerCaller } from "../../../http/auth/worker_caller.ts";
import { selectCommands, toStopCommand } from "./claim.ts";
import { sessionEvents, sessionMetrics, sessions } from "../models.ts";
import { isProvenWorker } from "./proven_worker.ts";
import type {
  ReportResult,
  SessionReport,
  StopCommand,
} from "../schemas/leases.ts";
import {
  HELD_STATUSES,
  isTerminal,
  SESSION_STATUSES,
  type SessionStatus,
  STATUS_EVENTS,
  TRANSITIONS,
} from "../status.ts";
import { TUNNEL_ONLY } from "../../../core/provider.ts";
import { workers } from "../../workers/models.ts";
import {
  all,
  extendQueueDeadline,
  type Move,
  requeueOrCrash,
} from "./lease_expiry.ts";
import { collectChanges, type StatusChange, transition } from "./transition.ts";

/** A worker's reports, and when they are applied. */
export interface ReportInput {
  readonly workerId: string;
  /** The caller. Reports of a process that is not the worker's current one are ignored. */
  readonly caller: WorkerCaller;
  readonly reports: readonly SessionReport[];
  readonly now: number;
  readonly leaseMs: number;
  readonly startTimeoutMs: number;
  /** Claims of one session after which it is not queued again. */
  readonly maxAttempts: number;
  /** The worker leaves: what it does not report, it does not have. */
  readonly isLast: boolean;
}

/** Statements that are run in one batch with a worker's reports. */
export interface SurroundingStatements<F, L> {
  readonly first: Statement<F>;
  readonly last: Statement<L>;
}

/** What became of a worker's reports. */
export interface ReportOutcome<F, L> {
  /** Results of the statements that were run first and last. */
  readonly first: F;
  readonly last: L;
  readonly results: readonly ReportResult[];
  readonly commands: readonly StopCommand[];
  readonly changed: readonly StatusChange[];
}

/** Applies reports, renews the leases of what they name, and reads the worker's orders, in one batch with the statements `around`: one round trip. */
export async function applyReports<F, L>(
  { orm }: Database,
  input: ReportInput,
  { first, last }: SurroundingStatements<F, L>,
): Promise<ReportOutcome<F, L>> {
  const [before, , , changed, , , , owned, commands, after, ...lost] = await orm
    .batch([
      first,
      progressEvents(orm, input),
      statusEvents(orm, input),
      statusChanges(orm, input),
      renewal(orm, input),
      acknowledgement(orm, input),
      metrics(orm, input),
      selectReportedSessions(orm, input),
      selectCommands(orm, input.workerId),
      last,
      ...(input.isLast ? requeueOrCrashAll(orm, input) : []),
    ]);
  return {
    first: before,
    last: after,
    results: input.reports.map((report) =>
      toReportResult(report, owned, input.now)
    ),
    commands: commands.map(toStopCommand),
    changed: [...changed, ...collectChanges(lost)],
  };
}

/** Such as a session whose claim it never got the answer of. */
function requeueOrCrashAll(orm: LibSQLDatabase, input: ReportInput) {
  const { workerId, now, maxAttempts } = input;
  const own = all(
    eq(sessions.workerId, workerId),
    isProvenWorker(workerId, input.caller),
  );
  const move: Move = (status, condition, at, changes) =>
    transition(orm, status, condition, at, changes);
  const loss = { now, maxAttempts, why: "its worker left" };
  return requeueOrCrash(move, own, loss);
}

/**
 * The reports as a table `r` beside the sessions that they may speak of.
 *
 * The sessions are found by their ids: a plus before a column keeps SQLite from an index of it, which would lead through
 * all that the worker has ever held, once for each report.
 *
 * @see {@link https://www.sqlite.org/optoverview.html#disqualifying_where_clause_terms_using_unary_}
 */
function joinReports(input: ReportInput): SQL {
  const { workerId, reports } = input;
  return sql`(SELECT value ->> 'session_id' AS session_id,
      value ->> 'fencing_token' AS token, value ->> 'status' AS status,
      value AS report FROM json_each(${JSON.stringify(reports)})) AS r
    WHERE r.session_id = ${sessions.id} AND r.token = ${sessions.fencingToken}
    AND +${sessions.workerId} = ${workerId} AND ${
    isProvenWorker(workerId, input.caller)
  }`;
}

/** The status that a report means: what was released ends as it was ordered to, or is queued again, but not for ever. */
function resultingStatus(input: ReportInput): SQL {
  const { maxAttempts } = input;
  return sql`iif(r.status <> 'released', iif(${
    isOutOfReach(input)
  }, 'failed', r.status),
    coalesce(${sessions.stopStatus}, iif(${sessions.status} = 'running', 'crashed',
      iif(${sessions.startAttempts} < ${maxAttempts}, 'pending', 'failed'))))`;
}

/**
 * SQL that reports whether a browser has started at an address that the server may not dial, on a worker without a
 * tunnel.
 */
function isOutOfReach({ workerId, reports }: ReportInput): SQL {
  if (!reports.some(({ endpoint }) => endpoint?.startsWith(TUNNEL_ONLY))) {
    return sql`0`;
  }
  return sql`(r.status = 'running' AND +${sessions.status} = 'starting'
    AND ${isTunnelOnly}
    AND EXISTS (SELECT 1 FROM ${workers} AS w
      WHERE w.id = ${workerId} AND w.reach = 'direct'))`;
}

const isTunnelOnly: SQL =
  sql`coalesce(r.report ->> '$.endpoint', '') LIKE ${`${TUNNEL_ONLY}%`}`;

/**
 * Returns SQL for the reason of the session's end, or null: the worker's reason, unless the browser is out of reach.
 */
function reasonIn(input: ReportInput): SQL {
  return sql`iif(${
    isOutOfReach(input)
  }, ${OUT_OF_REACH}, r.report ->> '$.status_reason')`;
}

const OUT_OF_REACH =
  "the address that its worker reports is not the worker's own, and the worker opens no tunnel: start the worker with --reach auto or tunnel, or name its network in the setting worker_networks";

/** Whether the report's status can follow the session's, by the table of transitions. */
function advances(input: ReportInput): SQL {
  return sql`(+${sessions.status}, ${
    resultingStatus(input)
  }) IN (VALUES ${PAIRS})`;
}

const PAIRS: SQL = sql.raw(
  HELD_STATUSES.flatMap((from) =>
    TRANSITIONS[from].map((to) => `('${from}', '${to}')`)
  ).join(", "),
);

const TERMINAL: SQL = sql.raw(
  `('${SESSION_STATUSES.filter(isTerminal).join("', '")}')`,
);

const HELD: SQL = sql.raw(`('${HELD_STATUSES.join("', '")}')`);

/** A line that the session has had since its last claim is not recorded again: the report was repeated. */
function progressEvents(orm: LibSQLDatabase, input: ReportInput) {
  return orm.run(sql`INSERT INTO ${sessionEvents}
    (session_id, event, data, timestamp)
    SELECT held.id, 'session_progress',
      json_object('message', line.value), ${input.now}
    FROM (SELECT ${sessions.id} AS id, r.report AS report
      FROM ${sessions}, ${joinReports(input)}
      AND +${sessions.status} IN ${HELD}) AS held,
      json_each(held.report, '$.progress') AS line
    WHERE NOT EXISTS (SELECT 1 FROM ${sessionEvents} AS had
      WHERE had.session_id = held.id AND had.event = 'session_progress'
      AND had.data ->> '$.message' = line.value
      AND had.seq > (SELECT max(seq) FROM ${sessionEvents} AS start
        WHERE start.session_id = held.id AND start.event = 'session_starting'))`);
}

function statusEvents(orm: LibSQLDatabase, input: ReportInput) {
  const names = JSON.stringify(STATUS_EVENTS);
  return orm.run(sql`INSERT INTO ${sessionEvents}
    (session_id, event, data, timestamp)
    SELECT ${sessions.id}, json_extract(${names}, '$.' || ${
    resultingStatus(input)
  }),
      json_patch('{}', json_object('reason', ${reasonIn(input)},
        'warm', r.report -> 'warm')), ${input.now}
    FROM ${sessions}, ${joinReports(input)} AND ${advances(input)}`);
}

function statusChanges(orm: LibSQLDatabase, input: ReportInput) {
  const { now, leaseMs } = input;
  const to = resultingStatus(input);
  const ends = sql`${to} IN ${TERMINAL}`;
  const leaves = sql`${to} NOT IN ${HELD}`;
  const queued = sql`${to} = 'pending'`;
  const given = (name: string) => sql`r.report ->> ${`$.${name}`}`;
  return orm.all<StatusChange>(sql`UPDATE ${sessions} SET
    status = ${to}, updated_at = ${now},
    status_reason = coalesce(${reasonIn(input)}, status_reason),
    container_id = coalesce(${given("container_id")}, container_id),
    details = coalesce(${given("details")}, details),
    warm = coalesce(${given("warm")}, warm),
    reach = iif(${to} = 'running', iif(${isTunnelOnly}, 'tunnel', ${REACH}), iif(${queued}, NULL, reach)),
    logs = coalesce(${given("logs")}, logs),
    endpoint = iif(${leaves}, NULL, coalesce(${given("endpoint")}, endpoint)),
    idle_since = iif(${leaves}, NULL, idle_since),
    lease_expires_at = iif(${leaves}, NULL, ${now + leaseMs}),
    worker_id = iif(${queued}, NULL, worker_id),
    claim_request_id = iif(${queued}, NULL, claim_request_id),
    queue_deadline_at = iif(${queued}, ${
    extendQueueDeadline(now)
  }, queue_deadline_at),
    ended_at = iif(${ends}, ${now}, NULL),
    stop_requested_at = iif(${ends}, NULL, stop_requested_at),
    started_at = iif(${to} = 'running', ${now}, started_at),
    expires_at = iif(${to} = 'running',
      ${now} + CAST((resource_limits ->> 'timeout_minutes') * 60000 AS INTEGER),
      expires_at)
    FROM ${joinReports(input)} AND ${advances(input)}
    RETURNING id, status, work_pool_id AS "workPoolId", worker_id AS "workerId",
      (status = 'running' AND reach IS NULL AND ${HAS_TUNNEL}) AS "isReachOpen"`);
}

/** As the session's worker asked to be reached, or as it is found to be; null: not known yet. */
const REACH: SQL = sql.raw(`(SELECT iif(w.reach = 'auto', w.reached, w.reach)
  FROM workers AS w WHERE w.id = sessions.worker_id)`);

const HAS_TUNNEL: SQL = sql.raw(`EXISTS (SELECT 1 FROM workers AS w
  WHERE w.id = sessions.worker_id AND w.tunnel_url IS NOT NULL)`);

/** The statement that tells the sessions which run on a worker how they are reached, unless the worker has asked for a way. */
export function setReach(
  orm: LibSQLDatabase,
  workerId: string,
  reach: "direct" | "tunnel",
): Statement<ResultSet> {
  return orm.run(sql`UPDATE ${sessions} SET reach = ${reach}
    WHERE ${sessions.workerId} = ${workerId} AND ${sessions.status} = 'running'
    AND EXISTS (SELECT 1 FROM ${workers} AS w
      WHERE w.id = ${workerId} AND w.reach = 'auto')`);
}

/** News of a start, as from a long pull, give it more time. */
function renewal(orm: LibSQLDatabase, input: ReportInput) {
  const { now, leaseMs, startTimeoutMs } = input;
  return orm.run(sql`UPDATE ${sessions}
    SET lease_expires_at = ${now + leaseMs},
      start_deadline_at = iif(json_array_length(r.report, '$.progress') > 0,
        ${now + startTimeoutMs + leaseMs}, start_deadline_at)
    FROM ${joinReports(input)} AND +${sessions.status} IN ${HELD}`);
}

/** The report of an end that was forced before: the order is obeyed. */
function acknowledgement(orm: LibSQLDatabase, input: ReportInput) {
  return orm.run(sql`UPDATE ${sessions} SET stop_requested_at = NULL,
    logs = coalesce(r.report ->> '$.logs', logs)
    FROM ${joinReports(input)}
    AND +${sessions.status} IN ${TERMINAL}
    AND (r.status IN ${TERMINAL} OR r.status = 'released')`);
}

function metrics(orm: LibSQLDatabase, input: ReportInput) {
  return orm.run(sql`INSERT INTO ${sessionMetrics} (session_id, cpu_percent,
      memory_mb, network_rx_bytes, network_tx_bytes, timestamp)
    SELECT ${sessions.id}, r.report ->> '$.metrics.cpu_percent',
      r.report ->> '$.metrics.memory_mb',
      r.report ->> '$.metrics.network_rx_bytes',
      r.report ->> '$.metrics.network_tx_bytes', ${input.now}
    FROM ${sessions}, ${joinReports(input)}
    AND +${sessions.status} IN ${HELD}
    AND r.report -> '$.metrics' IS NOT NULL`);
}

interface ReportedSession {
  readonly id: string;
  readonly status: SessionStatus;
  readonly expiresAt: number;
}

function selectReportedSessions(orm: LibSQLDatabase, input: ReportInput) {
  return orm.all<ReportedSession>(sql`SELECT ${sessions.id} AS id,
    ${sessions.status} AS status, ${sessions.expiresAt} AS "expiresAt" FROM ${sessions}, ${
    joinReports(input)
  }`);
}

/** A report is accepted if the session is the worker's still, or has just ended as it says. */
function toReportResult(
  { session_id, status }: SessionReport,
  owned: readonly ReportedSession[],
  now: number,
): ReportResult {
  // Of what was released nothing is left to end, whoever has it now.
  if (status === "released") return { session_id, result: "accepted" };
  const mine = owned.find(({ id }) => id === session_id);
  if (mine === undefined) return { session_id, result: "lease_lost" };
  if (isTerminal(mine.status)) {
    const result = isTerminal(status) ? "accepted" : "lease_lost";
    return { session_id, result };
  }
  const expires_in_ms = Math.max(0, mine.expiresAt - now);
  return { session_id, result: "accepted", expires_in_ms };
}
