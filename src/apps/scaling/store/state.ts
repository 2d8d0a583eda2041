import { eq, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { sessions } from "../../sessions/models.ts";
import type { Pool } from "../../workerpool/manager.ts";
import { workPools } from "../../workerpool/models.ts";
import { workers } from "../../workers/models.ts";
import type { WorkerStatus } from "../../workers/status.ts";
import { machines, scaledPools } from "../models.ts";

/** Maximum number of waiting sessions that are counted: more than the machines of a pool could hold. */
const MAX_PENDING = 100_000;

/** A machine as it is stored. */
export type MachineRow = Readonly<typeof machines.$inferSelect>;

/** A pool with machines as it is stored. */
export type ScaledPool = Readonly<typeof scaledPools.$inferSelect>;

/** A worker of the pool that is not offline, or that has a machine. */
export interface WorkerState {
  readonly id: string;
  readonly status: WorkerStatus;
  readonly capacity: number;
  readonly held: number;
  readonly drainRequestedAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Everything that a pass over a pool decides on, read at one moment. */
export interface PoolState {
  /** The pool with its lease, if this server has it now. */
  readonly leased: ScaledPool | undefined;
  /** Undefined if the server has stored nothing of the pool yet. */
  readonly stored: ScaledPool | undefined;
  /** Undefined if the pool was deleted. Its secrets are encrypted. */
  readonly pool: Pool | undefined;
  readonly machines: readonly MachineRow[];
  readonly workers: readonly WorkerState[];
  readonly pending: number;
  readonly held: number;
}

/** A server that wants to act for a pool. */
export interface LeaseRequest {
  readonly poolId: string;
  readonly server: string;
  readonly now: number;
  readonly leaseMs: number;
}

interface Values {
  readonly pool: string;
  readonly server: string;
  readonly now: number;
  readonly until: number;
  /** A lease beyond it was written before the clock was set back. */
  readonly horizon: number;
}

/** Takes or renews the lease of a pool, unless another server has it, and reads the pool's state. One round trip. */
export async function beginPass(
  db: Database,
  { poolId, server, now, leaseMs }: LeaseRequest,
): Promise<PoolState> {
  const result = await batchNamed(
    db.orm,
    passStatements(db, {
      pool: poolId,
      server,
      now,
      until: now + leaseMs,
      horizon: now + 2 * leaseMs,
    }),
  );
  const [counts] = result.counts;
  return {
    leased: result.leased[0],
    stored: result.stored[0],
    pool: result.pool[0],
    machines: result.machines,
    workers: result.workers,
    pending: counts?.pending ?? 0,
    held: counts?.held ?? 0,
  };
}

const passStatements = prepare(({ orm }, bind: Bind<Values>) => ({
  leased: orm.update(scaledPools).set({
    leaseOwner: sql`${bind("server")}`,
    leaseExpiresAt: sql`${bind("until")}`,
    pass: sql`${scaledPools.pass} + 1`,
  }).where(sql`${eq(scaledPools.poolId, bind("pool"))}
    AND (${scaledPools.leaseOwner} IS NULL
      OR ${scaledPools.leaseOwner} = ${bind("server")}
      OR ${scaledPools.leaseExpiresAt} <= ${bind("now")}
      OR ${scaledPools.leaseExpiresAt} > ${bind("horizon")})`).returning(),
  stored: orm.select().from(scaledPools).where(
    eq(scaledPools.poolId, bind("pool")),
  ),
  pool: orm.select().from(workPools).where(eq(workPools.id, bind("pool"))),
  machines: orm.select().from(machines).where(
    eq(machines.poolId, bind("pool")),
  ),
  workers: orm.all<WorkerState>(sql`SELECT ${workerColumns}
    FROM ${workers} AS w INDEXED BY workers_pool
    WHERE w.work_pool_id = ${bind("pool")}
    AND w.status IN ('online', 'busy', 'draining', 'failed')
    UNION ALL SELECT ${workerColumns}
    FROM ${machines} AS m INDEXED BY machines_pool
    CROSS JOIN ${workers} AS w ON w.id = m.worker_id
    WHERE m.pool_id = ${bind("pool")} AND w.status = 'offline'`),
  counts: orm.all<{ readonly pending: number; readonly held: number }>(
    sql`SELECT ${countSessions(bind("pool"), sql`'pending'`)} AS pending,
      ${countSessions(bind("pool"), sql`'starting'`)}
      + ${countSessions(bind("pool"), sql`'running'`)} AS held`,
  ),
}));

const workerColumns = sql`w.id, w.status, w.capacity,
  w.drain_requested_at AS drainRequestedAt, w.created_at AS createdAt,
  w.updated_at AS updatedAt, (SELECT count(*) FROM ${sessions} AS h
    WHERE h.worker_id = w.id AND h.status IN ('starting', 'running')) AS held`;

function countSessions(
  pool: ReturnType<Bind<Values>>,
  status: ReturnType<Bind<Values>>,
) {
  return sql`(SELECT count(*) FROM (SELECT 1
    FROM ${sessions} AS s INDEXED BY sessions_pool
    WHERE s.work_pool_id = ${pool} AND s.status = ${status}
    LIMIT ${sql.raw(String(MAX_PENDING))}))`;
}
