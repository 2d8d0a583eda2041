/**
 * Assigns sessions to workers: the one statement in which a session gets its worker, and the one read of its secrets.
 *
 * @module
 */
import {
  and,
  desc,
  eq,
  gt,
  inArray,
  notExists,
  type SQL,
  sql,
} from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import { BUILT_IN_ADMINS } from "../../../../core/caller.ts";
import type {
  Database,
  Secrets,
  Statement,
} from "../../../../core/database.ts";
import { batchNamed } from "../../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../../db/prepare.ts";
import {
  bindCaller,
  type CallerValues,
  toCallerValues,
  type WorkerCaller,
} from "../../../../http/auth/worker_caller.ts";
import { events } from "../../../events/models.ts";
import { toEventType } from "../../event_types.ts";
import { apiKeys } from "../../../keys/models.ts";
import { resolveEgressPolicy } from "../../../workerpool/manager.ts";
import { workPools } from "../../../workerpool/models.ts";
import { workers } from "../../../workers/models.ts";
import { sessions } from "../../models.ts";
import type { QueueWait } from "../../lifecycle_metrics.ts";
import type { ClaimedSession, StopCommand } from "../../schemas/leases.ts";
import type { QueuedAt } from "../../trace/session_spans.ts";
import { HELD_STATUSES, STATUS_EVENTS } from "../../status.ts";
import { selectCommands, toStopCommand } from "../lifecycle/commands.ts";
import {
  listObservations,
  parseObservations,
} from "../lifecycle/observations.ts";
import {
  countHeldRoom,
  countWorkerRoom,
  keepsMachine,
  nextSessions,
} from "./next.ts";
import { all, isProvenWorker } from "../conditions.ts";
import { openSession } from "../secrets.ts";
import { insertEvent } from "../lifecycle/transition.ts";

/** A worker's claim. */
export interface ClaimRequest {
  readonly workerId: string;
  /** The caller. A process that is not the worker's current one receives no session. */
  readonly caller: WorkerCaller;
  /** A repeated claim with the same id receives the same sessions while their leases run. */
  readonly requestId: string;
  /** Maximum number of sessions; 0 reads commands only. */
  readonly count: number;
  /** Sessions whose commands the worker has received. */
  readonly knownCommands: readonly string[];
  readonly now: number;
  readonly leaseMs: number;
  readonly startTimeoutMs: number;
}

/** The worker of a claim and its pool, after the sessions were assigned. */
export interface Claimant {
  readonly workPoolId: string;
  /** True if the caller has proven that it is the worker's current process. */
  readonly isProven: boolean;
  /** Number of further sessions that the worker may hold by its own limits; 0 if it takes none. */
  readonly room: number;
  /** Number of sessions that the pool may hold in addition; 0 if it is not active. At most {@linkcode MAX_COUNTED}. */
  readonly poolRoom: number;
  /** Number of sessions that still wait in the pool. At most {@linkcode MAX_COUNTED}. */
  readonly pending: number;
}

/** The result of a claim. */
export interface Claim {
  /** Absent if the worker does not exist. */
  readonly worker?: Claimant | undefined;
  /** Number of sessions that this claim has assigned: 0 for a repeated claim, which has sessions. */
  readonly assigned: number;
  /** Waits of the sessions that this claim has assigned for the first time. */
  readonly waits: readonly QueueWait[];
  readonly sessions: readonly ClaimedSession[];
  /** Begin of the waits of the sessions that this claim has assigned. */
  readonly queued: readonly QueuedAt[];
  readonly commands: readonly StopCommand[];
}

/** The values of a claim's statements. */
interface ClaimValues extends CallerValues {
  readonly workerId: string;
  readonly requestId: string;
  readonly count: number;
  /** JSON list. */
  readonly knownCommands: string;
  readonly now: number;
  readonly leaseExpiresAt: number;
  readonly startDeadlineAt: number;
}

/** Maximum number of sessions that are counted in the queue of a pool, so that a claim does not read a long queue. */
const MAX_COUNTED = 100;

/**
 * Assigns pending sessions of the pool to the worker, ordered by priority, then by the number of sessions that their owner
 * holds, then by age, within the limits of pool, worker and keys. One round trip; atomic, because SQLite has one writer.
 */
export async function claimSessions(
  { db, secrets }: { readonly db: Database; readonly secrets: Secrets },
  request: ClaimRequest,
): Promise<Claim> {
  const { workerId, requestId, count, now, leaseMs } = request;
  const { assigned, claimed, commands, worker } = await batchNamed(
    db.orm,
    claimStatements(db, {
      ...toCallerValues(request.caller),
      workerId,
      requestId,
      count,
      knownCommands: JSON.stringify(request.knownCommands),
      now,
      leaseExpiresAt: now + leaseMs,
      // Also limits a worker that renews its leases and never starts the browser.
      startDeadlineAt: now + request.startTimeoutMs + leaseMs,
    }),
  );
  return {
    worker: worker[0],
    assigned: assigned.rowsAffected,
    waits: assigned.rowsAffected > 0 ? claimed.flatMap(toWait) : [],
    queued: assigned.rowsAffected > 0
      ? claimed.map(({ session, queuedAt }) => ({
        id: session.id,
        since: queuedAt,
        attempt: session.startAttempts,
      }))
      : [],
    commands: commands.map(toStopCommand),
    sessions: await Promise.all(
      claimed.map((row) => toClaimedSession(row, request, secrets)),
    ),
  };
}

const claimStatements = prepare(({ orm }, bind: Bind<ClaimValues>) => {
  const workerId = bind("workerId");
  const now = bind("now");
  const isProven = isProvenWorker(workerId, bindCaller(bind));
  // The sessions of an earlier claim with the same request id.
  const isClaimed = all(
    eq(sessions.workerId, workerId),
    isProven,
    eq(sessions.claimRequestId, bind("requestId")),
    inArray(sessions.status, [...HELD_STATUSES]),
    gt(sessions.leaseExpiresAt, now),
  );
  const isNew =
    sql`${isClaimed} AND ${sessions.updatedAt} = ${now} AND changes() > 0`;
  return {
    assigned: assignSessions(orm, bind, { isProven, isClaimed }),
    started: insertEvent(
      orm,
      "session_starting",
      isNew,
      now,
      sql`json_object('worker_id', ${workerId})`,
    ),
    // The leases of a repeated claim begin with the repetition.
    renewed: orm.update(sessions).set({
      leaseExpiresAt: bind("leaseExpiresAt"),
    }).where(isClaimed),
    claimed: orm.select({
      session: sessions,
      pool: workPools,
      isolated: isIsolated,
      queuedAt: QUEUED_AT,
      observations: listObservations(now),
    }).from(sessions).innerJoin(
      workPools,
      eq(workPools.id, sessions.workPoolId),
    ).where(isClaimed).orderBy(desc(sessions.priority), sessions.id),
    commands: selectCommands(orm, workerId, bind("knownCommands")),
    worker: selectClaimant(orm, bind, isProven),
  };
});

/** Time since which a claimed session has waited. Only sessions with a trace that were requeued read their events. */
const QUEUED_AT: SQL<number> = sql<number>`coalesce(
  iif(${sessions.startAttempts} > 1 AND ${sessions.traceparent} IS NOT NULL,
    (SELECT e.timestamp FROM ${events} AS e WHERE e.session_id = ${sessions.id}
      AND e.type = ${toEventType(STATUS_EVENTS.pending)}
      ORDER BY e.sequence DESC LIMIT 1), NULL), ${sessions.createdAt})`;

/**
 * Condition that a session belongs to a client key: its owner is neither a built-in admin nor an admin's key. An owner
 * that no longer exists counts as a client.
 */
const isIsolated: SQL<boolean> = sql<
  boolean
>`(${sessions}.owner NOT IN ${BUILT_IN_ADMINS} AND NOT EXISTS (
  SELECT 1 FROM ${apiKeys} AS k
  WHERE k.id = ${sessions}.owner AND k.role = 'admin'))`.mapWith(Boolean);

function assignSessions(
  orm: LibSQLDatabase,
  bind: Bind<ClaimValues>,
  { isProven, isClaimed }: Readonly<Record<"isProven" | "isClaimed", SQL>>,
) {
  const workerId = bind("workerId");
  const next = nextSessions({ workerId, count: bind("count") }, isProven);
  return orm.update(sessions).set({
    status: "starting",
    workerId,
    fencingToken: sql`${sessions.fencingToken} + 1`,
    leaseExpiresAt: bind("leaseExpiresAt"),
    startDeadlineAt: bind("startDeadlineAt"),
    claimRequestId: bind("requestId"),
    startAttempts: sql`${sessions.startAttempts} + 1`,
    updatedAt: bind("now"),
    // Values of an earlier attempt.
    statusReason: null,
    containerId: null,
    details: {},
    reach: null,
    warm: false,
    logs: null,
  }).where(and(
    // A condition on the status would make SQLite search the whole queue.
    sql`${sessions.id} IN ${next}`,
    notExists(orm.select({ one: sql`1` }).from(sessions).where(isClaimed)),
  ));
}

function selectClaimant(
  orm: LibSQLDatabase,
  bind: Bind<ClaimValues>,
  isProven: SQL,
): Statement<Claimant[]> {
  const max = sql.raw(String(MAX_COUNTED));
  // Columns of tables with an alias are SQL; the query builder would name the tables.
  return orm.select({
    workPoolId: sql<string>`p.id`,
    isProven: sql<boolean>`${isProven}`.mapWith(Boolean),
    room: sql<number>`iif(w.status IN ('online', 'busy')
      AND w.drain_requested_at IS NULL AND ${keepsMachine()},
      max(0, ${countWorkerRoom()}), 0)`,
    poolRoom: sql<number>`iif(p.status = 'active',
      max(0, min(${max}, ${countHeldRoom(max)})), 0)`,
    pending: sql<number>`(SELECT count(*) FROM (SELECT 1 FROM ${sessions} AS n
      WHERE n.work_pool_id = p.id AND n.status = 'pending' LIMIT ${max}))`,
  }).from(sql`${workers} AS w JOIN ${workPools} AS p ON p.id = w.work_pool_id`)
    .where(sql`w.id = ${bind("workerId")}
      AND p.id = coalesce(${bind("callerPoolId")}, p.id)`);
}

/** The rows of a claimed session. */
interface ClaimedRow {
  readonly session: typeof sessions.$inferSelect;
  readonly pool: typeof workPools.$inferSelect;
  readonly isolated: boolean;
  readonly queuedAt: number;
  /** JSON list. */
  readonly observations: string;
}

function toWait({ session }: ClaimedRow): readonly QueueWait[] {
  const { workPoolId, createdAt, updatedAt, startAttempts } = session;
  const waitedMs = updatedAt - createdAt;
  return startAttempts === 1 ? [{ workPoolId, waitedMs }] : [];
}

async function toClaimedSession(
  { session: row, pool, isolated, ...rest }: ClaimedRow,
  { leaseMs, startTimeoutMs }: ClaimRequest,
  secrets: Secrets,
): Promise<ClaimedSession> {
  const { proxy, environment } = await openSession(secrets, row);
  const observations = parseObservations(rest.observations);
  return {
    id: row.id,
    fencing_token: row.fencingToken,
    lease_ttl_ms: leaseMs,
    start_timeout_ms: startTimeoutMs,
    work_pool_id: row.workPoolId,
    provider_type: pool.providerType,
    provider_config: {},
    browser: row.browser,
    version: row.version,
    headless: row.headless,
    operating_system: row.operatingSystem,
    screen: row.screen,
    proxy,
    resource_limits: row.resourceLimits,
    environment,
    arguments: [...row.arguments],
    isolated,
    egress: resolveEgressPolicy(pool, isolated),
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    ...(observations.length > 0 ? { observations } : {}),
  };
}
