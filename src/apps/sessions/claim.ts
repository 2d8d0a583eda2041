/**
 * Gives sessions away. The one statement in which a session gets its owner, and the one read of its secrets.
 *
 * @module
 */
import {
  and,
  eq,
  gt,
  inArray,
  isNotNull,
  notExists,
  or,
  type SQL,
  sql,
} from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database, Statement } from "../../core/db/client.ts";
import { workPools } from "../workerpool/models.ts";
import { workers } from "../workers/models.ts";
import { sessions } from "./models.ts";
import type { ClaimedSession, StopCommand } from "./schemas.ts";
import { HELD_STATUSES, type SessionStatus } from "./status.ts";
import { eventOf } from "./store_transition.ts";

/** Who claims, and when. */
export interface ClaimRequest {
  readonly workerId: string;
  /** A repeat with the same id, while the lease runs, gets the same session. */
  readonly requestId: string;
  /** Not more than this many sessions are held after it; absent: the worker's capacity. */
  readonly room?: number | undefined;
  readonly now: number;
  readonly leaseMs: number;
  readonly startTimeoutMs: number;
}

/** What a claim gave. */
export interface Claim {
  /** Pool of the worker; absent: there is no such worker. */
  readonly workPoolId?: string | undefined;
  readonly session?: ClaimedSession | undefined;
  readonly commands: readonly StopCommand[];
}

/**
 * Gives the worker the pending session of its pool with the highest priority, the oldest first, if pool and worker have
 * room. One round trip; atomic, because SQLite has one writer.
 */
export async function claimSession(
  { orm }: Database,
  request: ClaimRequest,
): Promise<Claim> {
  const { workerId, requestId, now, leaseMs } = request;
  const mine = and(
    eq(sessions.workerId, workerId),
    eq(sessions.claimRequestId, requestId),
    inArray(sessions.status, [...HELD_STATUSES]),
    gt(sessions.leaseExpiresAt, now),
  ) ?? sql`0`;
  const isFresh =
    sql`${mine} AND ${sessions.updatedAt} = ${now} AND changes() > 0`;
  const [, , claimed, commands, [worker]] = await orm.batch([
    orm.update(sessions).set({
      status: "starting",
      workerId,
      fencingToken: sql`${sessions.fencingToken} + 1`,
      leaseExpiresAt: now + leaseMs,
      claimRequestId: requestId,
      startAttempts: sql`${sessions.startAttempts} + 1`,
      updatedAt: now,
    }).where(and(
      request.room === 0 ? sql`0` : eq(sessions.id, nextFor(workerId)),
      eq(sessions.status, "pending"),
      notExists(orm.select({ one: sql`1` }).from(sessions).where(mine)),
    )),
    eventOf(orm, "session_starting", isFresh, now, { worker_id: workerId }),
    orm.select().from(sessions).innerJoin(
      workPools,
      eq(workPools.id, sessions.workPoolId),
    ).where(mine),
    commandsFor(orm, workerId),
    orm.select({ workPoolId: workers.workPoolId }).from(workers).where(
      eq(workers.id, workerId),
    ),
  ]);
  const [found] = claimed;
  return {
    workPoolId: worker?.workPoolId,
    commands: commands.map(commandOf),
    session: found && claimedSession(found.sessions, found.work_pools, request),
  };
}

/** The id of the session that the worker is to have, in SQL. */
function nextFor(workerId: string): SQL {
  const held = sql.raw("('starting', 'running')");
  return sql`(SELECT s.id FROM ${sessions} AS s
    JOIN ${workPools} AS p ON p.id = s.work_pool_id
    JOIN ${workers} AS w ON w.work_pool_id = p.id
    WHERE w.id = ${workerId} AND w.status IN ('online', 'busy')
    AND w.drain_requested_at IS NULL
    AND p.status = 'active' AND s.status = 'pending'
    AND (SELECT count(*) FROM ${sessions} AS h
      WHERE h.worker_id = w.id AND h.status IN ${held})
      < min(w.capacity, coalesce(p.max_sessions_per_worker, w.capacity))
    AND (p.max_sessions IS NULL OR p.max_sessions > (SELECT count(*)
      FROM ${sessions} AS h WHERE h.work_pool_id = p.id AND h.status IN ${held}))
    ORDER BY s.priority DESC, s.id LIMIT 1)`;
}

/** Orders that the worker has not obeyed yet: a forced one stays until it reports the end. */
export function commandsFor(
  orm: LibSQLDatabase,
  workerId: string,
): Statement<CommandRow[]> {
  return orm.select({
    id: sessions.id,
    fencingToken: sessions.fencingToken,
    stopStatus: sessions.stopStatus,
    stopReason: sessions.stopReason,
    stopForce: sessions.stopForce,
  }).from(sessions).where(and(
    eq(sessions.workerId, workerId),
    isNotNull(sessions.stopRequestedAt),
    or(
      inArray(sessions.status, [...HELD_STATUSES]),
      eq(sessions.stopForce, sql`1`),
    ),
  ));
}

/** What is read of a session that was ordered to end. */
interface CommandRow {
  readonly id: string;
  readonly fencingToken: number;
  readonly stopStatus: SessionStatus | null;
  readonly stopReason: string | null;
  readonly stopForce: boolean;
}

/** The order that a row stands for. */
export function commandOf(row: CommandRow): StopCommand {
  return {
    type: "stop",
    session_id: row.id,
    fencing_token: row.fencingToken,
    status: stopStatusOf(row.stopStatus),
    reason: row.stopReason ?? "",
    force: row.stopForce,
  };
}

function stopStatusOf(status: CommandRow["stopStatus"]): StopCommand["status"] {
  switch (status) {
    case "completed":
    case "expired":
    case "timed_out":
      return status;
    default:
      return "terminated";
  }
}

function claimedSession(
  row: typeof sessions.$inferSelect,
  pool: typeof workPools.$inferSelect,
  { leaseMs, startTimeoutMs }: ClaimRequest,
): ClaimedSession {
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
    proxy: row.proxy,
    resource_limits: row.resourceLimits,
    environment: row.environment,
  };
}
