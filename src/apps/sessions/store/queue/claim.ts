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
import type { Database, Secrets } from "../../../../core/database.ts";
import { batchNamed } from "../../../../db/batch_named.ts";
import type { WorkerCaller } from "../../../../http/auth/worker_caller.ts";
import { apiKeys } from "../../../keys/models.ts";
import { resolveEgressPolicy } from "../../../workerpool/manager.ts";
import { workPools } from "../../../workerpool/models.ts";
import { workers } from "../../../workers/models.ts";
import { sessions } from "../../models.ts";
import type { ClaimedSession, StopCommand } from "../../schemas/leases.ts";
import { HELD_STATUSES } from "../../status.ts";
import { selectCommands, toStopCommand } from "../lifecycle/commands.ts";
import { nextSessions } from "./next.ts";
import { isProvenWorker } from "../conditions.ts";
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

/** The result of a claim. */
export interface Claim {
  /** Absent if the worker does not exist. */
  readonly worker?: {
    readonly workPoolId: string;
    /** True if the caller has proven that it is the worker's current process. */
    readonly isProven: boolean;
    /** True if the pool has a limit: the end of another worker's session may then leave a session to claim. */
    readonly isPoolLimited: boolean;
  } | undefined;
  readonly sessions: readonly ClaimedSession[];
  readonly commands: readonly StopCommand[];
}

/** Conditions of a claim's statements. */
interface ClaimConditions {
  readonly isProven: SQL;
  /** The sessions of an earlier claim with the same request id. */
  readonly isClaimed: SQL;
}

/**
 * Assigns pending sessions of the pool to the worker, ordered by priority, then by the number of sessions that their owner
 * holds, then by age, within the limits of pool, worker and keys. One round trip; atomic, because SQLite has one writer.
 */
export async function claimSessions(
  { db: { orm }, secrets }: {
    readonly db: Database;
    readonly secrets: Secrets;
  },
  request: ClaimRequest,
): Promise<Claim> {
  const { workerId, now, leaseMs } = request;
  const conditions = createConditions(request);
  const { isClaimed, isProven } = conditions;
  const isNew =
    sql`${isClaimed} AND ${sessions.updatedAt} = ${now} AND changes() > 0`;
  const { claimed, commands, worker } = await batchNamed(orm, {
    assigned: assignSessions(orm, request, conditions),
    started: insertEvent(orm, "session_starting", isNew, now, {
      worker_id: workerId,
    }),
    // The leases of a repeated claim begin with the repetition.
    renewed: orm.update(sessions).set({ leaseExpiresAt: now + leaseMs })
      .where(isClaimed),
    claimed: orm.select({
      session: sessions,
      pool: workPools,
      isolated: isIsolated,
    }).from(sessions).innerJoin(
      workPools,
      eq(workPools.id, sessions.workPoolId),
    ).where(isClaimed).orderBy(desc(sessions.priority), sessions.id),
    commands: selectCommands(orm, workerId, request.knownCommands),
    worker: selectWorker(orm, request, isProven),
  });
  return {
    worker: worker[0],
    commands: commands.map(toStopCommand),
    sessions: await Promise.all(
      claimed.map((row) => toClaimedSession(row, request, secrets)),
    ),
  };
}

/**
 * Condition that a session belongs to a client key: its owner is neither a built-in admin nor an admin's key. An owner
 * that no longer exists counts as a client.
 */
const isIsolated: SQL<boolean> = sql<
  boolean
>`(${sessions}.owner NOT IN ${BUILT_IN_ADMINS} AND NOT EXISTS (
  SELECT 1 FROM ${apiKeys} AS k
  WHERE k.id = ${sessions}.owner AND k.role = 'admin'))`.mapWith(Boolean);

function createConditions(
  { workerId, caller, requestId, now }: ClaimRequest,
): ClaimConditions {
  const isProven = isProvenWorker(workerId, caller);
  const isClaimed = and(
    eq(sessions.workerId, workerId),
    isProven,
    eq(sessions.claimRequestId, requestId),
    inArray(sessions.status, [...HELD_STATUSES]),
    gt(sessions.leaseExpiresAt, now),
  ) ?? sql`0`;
  return { isProven, isClaimed };
}

function assignSessions(
  orm: LibSQLDatabase,
  request: ClaimRequest,
  { isProven, isClaimed }: ClaimConditions,
) {
  const { workerId, requestId, now, leaseMs, startTimeoutMs } = request;
  return orm.update(sessions).set({
    status: "starting",
    workerId,
    fencingToken: sql`${sessions.fencingToken} + 1`,
    leaseExpiresAt: now + leaseMs,
    // Also limits a worker that renews its leases and never starts the browser.
    startDeadlineAt: now + startTimeoutMs + leaseMs,
    claimRequestId: requestId,
    startAttempts: sql`${sessions.startAttempts} + 1`,
    updatedAt: now,
    // Values of an earlier attempt.
    statusReason: null,
    containerId: null,
    details: {},
    reach: null,
    warm: false,
    logs: null,
  }).where(and(
    // A condition on the status would make SQLite search the whole queue.
    request.count === 0
      ? sql`0`
      : sql`${sessions.id} IN ${nextSessions(request, isProven)}`,
    notExists(orm.select({ one: sql`1` }).from(sessions).where(isClaimed)),
  ));
}

function selectWorker(
  orm: LibSQLDatabase,
  { workerId, caller }: ClaimRequest,
  isProven: SQL,
) {
  return orm.select({
    workPoolId: workers.workPoolId,
    isProven: sql<boolean>`${isProven}`.mapWith(Boolean),
    isPoolLimited: sql<
      boolean
    >`${workPools.maxSessions} IS NOT NULL`.mapWith(Boolean),
  }).from(workers).innerJoin(
    workPools,
    eq(workPools.id, workers.workPoolId),
  ).where(and(
    eq(workers.id, workerId),
    caller.workPoolId === undefined
      ? undefined
      : eq(workers.workPoolId, caller.workPoolId),
  ));
}

/** The rows of a claimed session. */
interface ClaimedRow {
  readonly session: typeof sessions.$inferSelect;
  readonly pool: typeof workPools.$inferSelect;
  readonly isolated: boolean;
}

async function toClaimedSession(
  { session: row, pool, isolated }: ClaimedRow,
  { leaseMs, startTimeoutMs }: ClaimRequest,
  secrets: Secrets,
): Promise<ClaimedSession> {
  const { proxy, environment } = await openSession(secrets, row);
  return {
    id: row.id,
    fencing_token: row.fencingToken,
    lease_ttl_ms: leaseMs,
    start_timeout_ms: startTimeoutMs,
    work_pool_id: row.workPoolId,
    provider_type: pool.providerType,
    provider_config: pool.providerConfig,
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
  };
}
