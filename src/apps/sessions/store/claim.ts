/**
 * Gives sessions away. The one statement in which a session gets its owner, and the one read of its secrets.
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
import type { ResultSet } from "@libsql/client";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database, Statement } from "../../../core/database.ts";
import { resolveEgressPolicy } from "../../workerpool/manager.ts";
import type { Secrets } from "../../../core/database.ts";
import type { WorkerCaller } from "../../../http/auth/worker_caller.ts";
import { workPools } from "../../workerpool/models.ts";
import { workers } from "../../workers/models.ts";
import { sessions } from "../models.ts";
import { isProvenWorker } from "./proven_worker.ts";
import type { ClaimedSession, StopCommand } from "../schemas/leases.ts";
import { HELD_STATUSES, type SessionStatus } from "../status.ts";
import { isIsolated } from "./isolation.ts";
import { openSession } from "./secrets.ts";
import { nextSessions } from "./next.ts";
import { insertEvent } from "./transition.ts";

/** Who claims, and when. */
export interface ClaimRequest {
  readonly workerId: string;
  /** The caller. A process that is not the worker's current one receives no session. */
  readonly caller: WorkerCaller;
  /** A repeat with the same id, while the lease runs, gets the same sessions. */
  readonly requestId: string;
  /** Most sessions to give; 0: only orders are asked for. */
  readonly count: number;
  /** Sessions whose orders need not be told. */
  readonly knownCommands: readonly string[];
  readonly now: number;
  readonly leaseMs: number;
  readonly startTimeoutMs: number;
}

/** What a claim gave. */
export interface Claim {
  /** Absent: there is no such worker. */
  readonly worker?: {
    readonly workPoolId: string;
    /** True if the caller has proven that it is the worker's current process. */
    readonly isProven: boolean;
    /** Whether the pool has a limit: the end of another worker's session may leave it something to claim. */
    readonly isPoolLimited: boolean;
  } | undefined;
  readonly sessions: readonly ClaimedSession[];
  readonly commands: readonly StopCommand[];
}

/**
 * Gives the worker pending sessions of its pool, ordered by priority, then by how few sessions their owner holds, then
 * by age, as far as pool, worker and keys have room. One round trip; atomic, because SQLite has one writer.
 */
export async function claimSessions(
  { db: { orm }, secrets }: {
    readonly db: Database;
    readonly secrets: Secrets;
  },
  request: ClaimRequest,
): Promise<Claim> {
  const { workerId, caller, requestId, now, leaseMs, knownCommands } = request;
  const { startTimeoutMs } = request;
  const isProven = isProvenWorker(workerId, caller);
  const mine = and(
    eq(sessions.workerId, workerId),
    isProven,
    eq(sessions.claimRequestId, requestId),
    inArray(sessions.status, [...HELD_STATUSES]),
    gt(sessions.leaseExpiresAt, now),
  ) ?? sql`0`;
  const isFresh =
    sql`${mine} AND ${sessions.updatedAt} = ${now} AND changes() > 0`;
  const [, , , claimed, commands, [worker]] = await orm.batch([
    orm.update(sessions).set({
      status: "starting",
      workerId,
      fencingToken: sql`${sessions.fencingToken} + 1`,
      leaseExpiresAt: now + leaseMs,
      // A worker that keeps its leases and never starts anything is late some day, too.
      startDeadlineAt: now + startTimeoutMs + leaseMs,
      claimRequestId: requestId,
      startAttempts: sql`${sessions.startAttempts} + 1`,
      updatedAt: now,
      // What an earlier attempt has left.
      statusReason: null,
      containerId: null,
      details: {},
      reach: null,
      warm: false,
      logs: null,
    }).where(and(
      // They are pending: to say it again would search the whole queue.
      request.count === 0
        ? sql`0`
        : sql`${sessions.id} IN ${nextSessions(request, isProven)}`,
      notExists(orm.select({ one: sql`1` }).from(sessions).where(mine)),
    )),
    insertEvent(orm, "session_starting", isFresh, now, { worker_id: workerId }),
    // Whoever repeats a claim counts its leases from the repeat.
    orm.update(sessions).set({ leaseExpiresAt: now + leaseMs }).where(mine),
    orm.select({
      session: sessions,
      pool: workPools,
      isolated: isIsolated,
    }).from(sessions).innerJoin(
      workPools,
      eq(workPools.id, sessions.workPoolId),
    ).where(mine).orderBy(desc(sessions.priority), sessions.id),
    selectCommands(orm, workerId, knownCommands),
    orm.select({
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
    )),
  ]);
  return {
    worker,
    commands: commands.map(toStopCommand),
    sessions: await Promise.all(
      claimed.map((row) => toClaimedSession(row, request, secrets)),
    ),
  };
}

/** A session that a worker holds. */
export interface LeasedSession {
  readonly id: string;
  readonly fencingToken: number;
  readonly status: SessionStatus;
}

/** Of whom a registration takes sessions over. Both are conditions on `workers`, in SQL. */
export interface TakeOverScope {
  /** The worker whose earlier process ends with this registration; evaluated before the worker's row is brought up to date. */
  readonly replaced: SQL;
  /** The worker as it is afterwards. */
  readonly registered: SQL;
  /** How its new process asks to be reached; null: whoever knows better may tell. */
  readonly reach: "direct" | "tunnel" | null;
}

/** Statements of a registration, to be run in this order, the worker's own between the two. */
export interface TakeOverStatements {
  /** Raises the fencing tokens, so that nothing the earlier process still says counts, and renews the leases. */
  readonly raise: Statement<ResultSet>;
  readonly held: Statement<LeasedSession[]>;
}

/** The statements by which a worker's new process takes over what the worker holds. */
export function takeOver(
  orm: LibSQLDatabase,
  { replaced, registered, reach }: TakeOverScope,
  { now, leaseMs }: { readonly now: number; readonly leaseMs: number },
): TakeOverStatements {
  const heldBy = (condition: SQL) =>
    and(
      inArray(
        sessions.workerId,
        orm.select({ id: workers.id }).from(workers).where(condition),
      ),
      inArray(sessions.status, [...HELD_STATUSES]),
    );
  return {
    raise: orm.update(sessions).set({
      fencingToken: sql`${sessions.fencingToken} + 1`,
      leaseExpiresAt: now + leaseMs,
      // What is known of the way holds until something better is: without, an address would be dialled that nobody proved.
      ...(reach === null ? {} : { reach }),
    }).where(heldBy(replaced)),
    held: orm.select({
      id: sessions.id,
      fencingToken: sessions.fencingToken,
      status: sessions.status,
    }).from(sessions).where(heldBy(registered)),
  };
}

/** Whether a session has an order that its worker has not obeyed yet: a forced one stays until it reports the end. */
export const hasStopCommand: SQL = sql`(${sessions.stopRequestedAt} IS NOT NULL
  AND (${sessions.status} IN ('starting', 'running') OR ${sessions.stopForce} = 1))`;

/** Orders that the worker has not obeyed yet. @param known Sessions whose orders it is obeying. */
export function selectCommands(
  orm: LibSQLDatabase,
  workerId: string,
  known: readonly string[] = [],
): Statement<CommandRow[]> {
  return orm.select({
    id: sessions.id,
    fencingToken: sessions.fencingToken,
    stopStatus: sessions.stopStatus,
    stopReason: sessions.stopReason,
    stopForce: sessions.stopForce,
  }).from(sessions).where(and(
    eq(sessions.workerId, workerId),
    hasStopCommand,
    known.length === 0
      ? undefined
      : sql`${sessions.id} NOT IN (SELECT value FROM json_each(${
        JSON.stringify(known)
      }))`,
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
export function toStopCommand(row: CommandRow): StopCommand {
  return {
    type: "stop",
    session_id: row.id,
    fencing_token: row.fencingToken,
    status: toStopStatus(row.stopStatus),
    reason: row.stopReason ?? "",
    force: row.stopForce,
  };
}

function toStopStatus(status: CommandRow["stopStatus"]): StopCommand["status"] {
  switch (status) {
    case "completed":
    case "expired":
    case "timed_out":
      return status;
    default:
      return "terminated";
  }
}

/** Columns of a claimed session that the response needs. */
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
