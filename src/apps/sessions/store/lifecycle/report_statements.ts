/**
 * The statements of a worker's reports.
 *
 * Each joins the reports with the sessions on id, worker and fencing token, so that a stale report changes nothing; and
 * on the status, so that a repeated report changes nothing more.
 *
 * @module
 */
import type { ResultSet } from "@libsql/client";
import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Statement } from "../../../../core/database.ts";
import type { Bind } from "../../../../db/prepare.ts";
import { TUNNEL_ONLY } from "../../../../core/network.ts";
import { workers } from "../../../workers/models.ts";
import { events, insertEvents } from "../../../events/models.ts";
import { toEventType } from "../../event_types.ts";
import { sessions } from "../../models.ts";
import {
  HELD_STATUSES,
  isTerminal,
  SESSION_STATUSES,
  type SessionStatus,
  TRANSITIONS,
} from "../../status.ts";
import { extendQueueDeadline } from "./lease_expiry.ts";
import {
  bindCaller,
  type CallerValues,
} from "../../../../http/auth/worker_caller.ts";
import { isProvenWorker } from "../conditions.ts";
import { insertMetrics } from "../metrics.ts";
import {
  selectEventType,
  sessionOfEvent,
  type StatusChange,
} from "./transition.ts";

/** The values of the statements of a worker's reports. */
export interface ReportValues extends CallerValues {
  readonly workerId: string;
  /** JSON list of the reports. */
  readonly reports: string;
  readonly now: number;
  readonly leaseExpiresAt: number;
  /** Deadline of a start that makes progress. */
  readonly startDeadlineAt: number;
  /** Number of claims after which a session is not queued again. */
  readonly maxAttempts: number;
}

/** Returns SQL that stands for a value of the reports. */
type BindReports = Bind<ReportValues>;

/** A session that a report names, after the reports were applied. */
export interface ReportedSession {
  readonly id: string;
  readonly status: SessionStatus;
  readonly expiresAt: number;
}

const OUT_OF_REACH =
  "the address that its worker reports is not the worker's own, and the worker opens no tunnel: start the worker with --reach auto or tunnel, or name its network in the setting worker_networks";

const PAIRS: SQL = sql.raw(
  HELD_STATUSES.flatMap((from) =>
    TRANSITIONS[from].map((to) => `('${from}', '${to}')`)
  ).join(", "),
);

const TERMINAL: SQL = sql.raw(
  `('${SESSION_STATUSES.filter(isTerminal).join("', '")}')`,
);

const HELD: SQL = sql.raw(`('${HELD_STATUSES.join("', '")}')`);

const isTunnelOnly: SQL =
  sql`coalesce(r.report ->> '$.endpoint', '') LIKE ${`${TUNNEL_ONLY}%`}`;

/** The path that the worker requested, or the detected one; null if not known yet. */
const REACH: SQL = sql.raw(`(SELECT iif(w.reach = 'auto', w.reached, w.reach)
  FROM workers AS w WHERE w.id = sessions.worker_id)`);

const HAS_TUNNEL: SQL = sql.raw(`EXISTS (SELECT 1 FROM workers AS w
  WHERE w.id = sessions.worker_id AND w.tunnel_url IS NOT NULL)`);

/** Time of the session's last claim. */
const CLAIMED_AT: SQL = sql.raw(`(SELECT e.timestamp FROM events AS e
  WHERE e.session_id = sessions.id
  AND e.type = '${toEventType("session_starting")}'
  ORDER BY e.sequence DESC LIMIT 1)`);

/**
 * Records progress lines. A line that was recorded since the last claim belongs to a repeated report and is left out.
 */
export function insertProgress(
  orm: LibSQLDatabase,
  bind: BindReports,
): Statement<ResultSet> {
  const starting = toEventType("session_starting");
  const progress = toEventType("session_progress");
  return insertEvents(orm, {
    type: progress,
    sessionId: sql`held.id`,
    workPoolId: sql`held.work_pool_id`,
    workerId: sql`held.worker_id`,
    owner: sql`held.owner`,
    data: sql`json_object('message', line.value)`,
    timestamp: bind("now"),
    source: sql`(SELECT ${sessions.id} AS id, r.report AS report,
        ${sessions.workPoolId} AS work_pool_id,
        ${sessions.workerId} AS worker_id, ${sessions.owner} AS owner
      FROM ${sessions}, ${joinReports(bind)}
      AND +${sessions.status} IN ${HELD}) AS held,
      json_each(held.report, '$.progress') AS line
    WHERE NOT EXISTS (SELECT 1 FROM ${events} AS had
      WHERE had.session_id = held.id AND had.type = ${progress}
      AND had.data ->> '$.message' = line.value
      AND had.sequence > (SELECT max(sequence) FROM ${events} AS start
        WHERE start.session_id = held.id AND start.type = ${starting}))`,
  });
}

/** Records the events of the reported changes of status. */
export function insertStatusEvents(
  orm: LibSQLDatabase,
  bind: BindReports,
): Statement<ResultSet> {
  return insertEvents(orm, {
    ...sessionOfEvent,
    type: selectEventType(resultingStatus(bind)),
    data: sql`json_patch('{}', json_object('reason', ${findReason(bind)},
      'warm', r.report -> 'warm'))`,
    timestamp: bind("now"),
    source: sql`${sessions}, ${joinReports(bind)} AND ${isAllowed(bind)}`,
  });
}

/** Applies the reported changes of status. */
export function updateStatuses(
  orm: LibSQLDatabase,
  bind: BindReports,
): Statement<StatusChange[]> {
  const now = bind("now");
  const to = resultingStatus(bind);
  const ends = sql`${to} IN ${TERMINAL}`;
  const leaves = sql`${to} NOT IN ${HELD}`;
  const isQueued = sql`${to} = 'pending'`;
  const runs = sql`${to} = 'running'`;
  const reported = (name: string) => sql`r.report ->> ${`$.${name}`}`;
  return orm.all<StatusChange>(sql`UPDATE ${sessions} SET
    status = ${to}, updated_at = ${now},
    status_reason = coalesce(${findReason(bind)}, status_reason),
    container_id = coalesce(${reported("container_id")}, container_id),
    details = coalesce(${reported("details")}, details),
    warm = coalesce(${reported("warm")}, warm),
    reach = iif(${runs}, iif(${isTunnelOnly}, 'tunnel', ${REACH}),
      iif(${isQueued}, NULL, reach)),
    logs = coalesce(${reported("logs")}, logs),
    endpoint = iif(${leaves}, NULL, coalesce(${
    reported("endpoint")
  }, endpoint)),
    idle_since = iif(${leaves}, NULL, idle_since),
    lease_expires_at = iif(${leaves}, NULL, ${bind("leaseExpiresAt")}),
    worker_id = iif(${isQueued}, NULL, worker_id),
    claim_request_id = iif(${isQueued}, NULL, claim_request_id),
    queue_deadline_at = iif(${isQueued}, ${
    extendQueueDeadline(now)
  }, queue_deadline_at),
    ended_at = iif(${ends}, ${now}, NULL),
    stop_requested_at = iif(${ends}, NULL, stop_requested_at),
    started_at = iif(${runs}, ${now}, started_at),
    expires_at = iif(${runs},
      ${now} + CAST((resource_limits ->> 'timeout_minutes') * 60000 AS INTEGER),
      expires_at)
    FROM ${joinReports(bind)} AND ${isAllowed(bind)}
    RETURNING id, status, work_pool_id AS "workPoolId", worker_id AS "workerId",
      provider, warm, started_at AS "startedAt", ended_at AS "endedAt",
      created_at AS "createdAt", status_reason AS "statusReason", traceparent,
      iif(status = 'running', ${CLAIMED_AT}, NULL) AS "claimedAt",
      (status = 'running' AND reach IS NULL AND ${HAS_TUNNEL}) AS "isReachOpen"`);
}

/** Renews leases. Progress of a start, such as of a long image pull, extends its deadline. */
export function renewLeases(
  orm: LibSQLDatabase,
  bind: BindReports,
): Statement<ResultSet> {
  return orm.run(sql`UPDATE ${sessions}
    SET lease_expires_at = ${bind("leaseExpiresAt")},
      start_deadline_at = iif(json_array_length(r.report, '$.progress') > 0,
        ${bind("startDeadlineAt")}, start_deadline_at)
    FROM ${joinReports(bind)} AND +${sessions.status} IN ${HELD}`);
}

/** Deletes the stop commands of sessions that were ended by force, and whose end the worker now reports. */
export function acknowledgeStops(
  orm: LibSQLDatabase,
  bind: BindReports,
): Statement<ResultSet> {
  return orm.run(sql`UPDATE ${sessions} SET stop_requested_at = NULL,
    logs = coalesce(r.report ->> '$.logs', logs)
    FROM ${joinReports(bind)}
    AND +${sessions.status} IN ${TERMINAL}
    AND (r.status IN ${TERMINAL} OR r.status = 'released')`);
}

/** Records the reported measurements. */
export function insertReportedMetrics(
  orm: LibSQLDatabase,
  bind: BindReports,
): Statement<ResultSet> {
  return insertMetrics(orm, {
    values: sql`(r.report -> '$.metrics')`,
    now: bind("now"),
    from: sql`${sessions}, ${joinReports(bind)}
      AND +${sessions.status} IN ${HELD}
      AND r.report -> '$.metrics' IS NOT NULL`,
  });
}

/** Reads the sessions that the reports name and the worker holds or held last. */
export function selectReportedSessions(
  orm: LibSQLDatabase,
  bind: BindReports,
): Statement<ReportedSession[]> {
  return orm.all<ReportedSession>(sql`SELECT ${sessions.id} AS id,
    ${sessions.status} AS status, ${sessions.expiresAt} AS "expiresAt"
    FROM ${sessions}, ${joinReports(bind)}`);
}

/**
 * Returns SQL that joins the reports, as a table `r`, with the sessions that they may name.
 *
 * The sessions are found by their ids: a plus before a column keeps SQLite from the index of that column, which would
 * read every session that the worker has ever held, for each report.
 *
 * @see {@link https://www.sqlite.org/optoverview.html#disqualifying_where_clause_terms_using_unary_}
 */
function joinReports(bind: BindReports): SQL {
  const workerId = bind("workerId");
  return sql`(SELECT value ->> 'session_id' AS session_id,
      value ->> 'fencing_token' AS token, value ->> 'status' AS status,
      value AS report FROM json_each(${bind("reports")})) AS r
    WHERE r.session_id = ${sessions.id} AND r.token = ${sessions.fencingToken}
    AND +${sessions.workerId} = ${workerId}
    AND ${isProvenWorker(workerId, bindCaller(bind))}`;
}

/**
 * Returns SQL for the status after a report. A released session ends as its stop command says, or is queued again up to
 * the limit of attempts.
 */
function resultingStatus(bind: BindReports): SQL {
  return sql`iif(r.status <> 'released', iif(${
    isOutOfReach(bind)
  }, 'failed', r.status),
    coalesce(${sessions.stopStatus}, iif(${sessions.status} = 'running', 'crashed',
      iif(${sessions.startAttempts} < ${
    bind("maxAttempts")
  }, 'pending', 'failed'))))`;
}

/**
 * Returns the condition that a browser has started at an address that the server may not dial, on a worker without a
 * tunnel.
 */
function isOutOfReach(bind: BindReports): SQL {
  return sql`(r.status = 'running' AND +${sessions.status} = 'starting'
    AND ${isTunnelOnly}
    AND EXISTS (SELECT 1 FROM ${workers} AS w
      WHERE w.id = ${bind("workerId")} AND w.reach = 'direct'))`;
}

/**
 * Returns SQL for the reason of the session's end, or null: the worker's reason, unless the browser is out of reach.
 */
function findReason(bind: BindReports): SQL {
  return sql`iif(${
    isOutOfReach(bind)
  }, ${OUT_OF_REACH}, r.report ->> '$.status_reason')`;
}

/** Returns the condition that the table of transitions allows the reported change of status. */
function isAllowed(bind: BindReports): SQL {
  return sql`(+${sessions.status}, ${
    resultingStatus(bind)
  }) IN (VALUES ${PAIRS})`;
}
