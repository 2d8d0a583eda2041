import {
  and,
  eq,
  gt,
  inArray,
  ne,
  notExists,
  or,
  type Placeholder,
  type SQL,
  sql,
} from "drizzle-orm";
import { isConstraintError } from "../../../db/client.ts";
import { type Database } from "../../../core/database.ts";
import { GridError } from "../../../core/errors.ts";
import type { Secrets } from "../../../core/database.ts";
import { sessions } from "../../sessions/models.ts";
import { workers } from "../../workers/models.ts";
import { workPools } from "../models.ts";
import type { Pool, PoolFields } from "../pool.ts";
import type { PoolStatus } from "../status.ts";
import { countPoolRoom } from "./room.ts";
import { openPool, sealPool } from "./secrets.ts";
import { poolProblems } from "../problems.ts";

/**
 * Maximum number of queued sessions that are counted for an assignment, so that its cost does not grow with the queue.
 */
const MAX_COUNTED = 100_000;

/** What the assignment of a session looks at. */
export interface PoolLoad {
  readonly pool: Pool;
  /** At most {@linkcode MAX_COUNTED}; the insertion itself compares a longer `max_queue`. */
  readonly pending: number;
  /** Sessions that it could start at once. */
  readonly room: number;
  /** Operating systems of the workers' hosts that reported one, by the names of the runtime's targets. */
  readonly hosts: readonly string[];
}

/** How loaded a pool is, for people. */
export interface PoolPressure {
  readonly pool: Pool;
  readonly pending: number;
  readonly starting: number;
  readonly running: number;
  readonly workersOnline: number;
  readonly capacity: number;
  readonly ready: number;
  readonly oldestPendingAt: number | null;
}

/** Which pools to list. */
export interface PoolListOptions {
  readonly status?: PoolStatus | undefined;
  readonly provider_type?: string | undefined;
  /** The only one that may be seen. */
  readonly only?: string | undefined;
  readonly limit: number;
  /** Id of the last one seen. */
  readonly cursor?: string | undefined;
}

/** SQL of the work pools. Each method is one round trip. */
export interface PoolStore {
  insert(pool: Pool): Promise<void>;
  find(ref: string): Promise<Pool | undefined>;
  list(page: PoolListOptions): Promise<readonly Pool[]>;
  update(
    id: string,
    fields: Partial<PoolFields>,
    now: number,
  ): Promise<Pool | undefined>;
  /** Deletes a pool that has no live session, with what has ended in it. False: it has one, or is not there. */
  remove(id: string, force: boolean): Promise<boolean>;
  /** Draining pools without a live session become inactive. Returns how many. */
  finishDrains(now: number): Promise<number>;
  /** All pools, or the one that `ref` names, with their load. */
  readLoads(ref?: string): Promise<readonly PoolLoad[]>;
  readPressure(ref: string): Promise<PoolPressure | undefined>;
}

/** The store over `db`. */
export function createPoolStore(
  { orm }: Database,
  secrets: Secrets,
): PoolStore {
  const open = (pool: Pool) => openPool(secrets, pool);
  // What is asked most is built once.
  const ref = sql.placeholder("ref");
  const found = orm.select().from(workPools).where(matchesRef(ref)).prepare();
  const loads = () =>
    orm.select({
      pool: workPools,
      pending: sql<number>`(SELECT count(*) FROM (SELECT 1
        FROM ${sessions} AS s WHERE s.work_pool_id = ${workPools}.id
        AND s.status = 'pending' LIMIT ${sql.raw(String(MAX_COUNTED))}))`,
      room: countPoolRoom(),
      hosts: sql<string>`(SELECT json_group_array(DISTINCT
          w.provider_details ->> 'os') FROM ${workers} AS w
        WHERE w.work_pool_id = ${workPools}.id
        AND w.provider_details ->> 'os' IS NOT NULL)`.mapWith((
        text: string,
      ): readonly string[] => JSON.parse(text)),
    }).from(workPools).orderBy(workPools.id).$dynamic();
  const loadsOfAll = loads().prepare();
  const loadOfOne = loads().where(matchesRef(ref)).prepare();
  return {
    async insert(pool) {
      const sealed = await sealPool(secrets, pool.id, pool);
      await withFreeName(pool.name, () => orm.insert(workPools).values(sealed));
    },
    async find(ref) {
      const [pool] = await found.all({ ref });
      return pool && await open(pool);
    },
    async list({ status, provider_type, only, limit, cursor }) {
      const pools = await orm.select().from(workPools).where(and(
        status && eq(workPools.status, status),
        provider_type ? eq(workPools.providerType, provider_type) : undefined,
        only ? eq(workPools.id, only) : undefined,
        cursor ? gt(workPools.id, cursor) : undefined,
      )).orderBy(workPools.id).limit(limit);
      return await Promise.all(pools.map(open));
    },
    async update(id, fields, now) {
      const sealed = await sealPool(secrets, id, fields);
      const [pool] = await withFreeName(
        fields.name ?? "",
        () =>
          orm.update(workPools).set({ ...sealed, updatedAt: now })
            .where(eq(workPools.id, id)).returning(),
      );
      return pool && await open(pool);
    },
    async finishDrains(now) {
      const { rowsAffected } = await orm.update(workPools).set({
        status: "inactive",
        updatedAt: now,
      }).where(and(eq(workPools.status, "draining"), isUnused));
      return rowsAffected;
    },
    async remove(id, force) {
      const hasNoSession = notExists(
        orm.select({ one: sql`1` }).from(sessions).where(and(
          eq(sessions.workPoolId, id),
          inArray(sessions.status, ["pending", "starting", "running"]),
        )),
      );
      const hasNoWorker = notExists(
        orm.select({ one: sql`1` }).from(workers).where(and(
          eq(workers.workPoolId, id),
          ne(workers.status, "offline"),
        )),
      );
      const unused = force ? hasNoSession : and(hasNoSession, hasNoWorker);
      const [, gone] = await orm.batch([
        orm.delete(sessions).where(and(eq(sessions.workPoolId, id), unused)),
        orm.delete(workPools).where(and(eq(workPools.id, id), unused))
          .returning({ id: workPools.id }),
      ]);
      return gone.length > 0;
    },
    async readLoads(ref) {
      const found =
        await (ref === undefined ? loadsOfAll.all() : loadOfOne.all({ ref }));
      return await Promise.all(
        found.map(async (load) => ({ ...load, pool: await open(load.pool) })),
      );
    },
    async readPressure(ref) {
      const [pressure] = await orm.select({
        pool: workPools,
        pending: countSessions("pending"),
        starting: countSessions("starting"),
        running: countSessions("running"),
        workersOnline: aggregateWorkers(sql`count(*)`),
        capacity: aggregateWorkers(sql`coalesce(sum(w.capacity), 0)`),
        ready: aggregateWorkers(sql`coalesce(sum(w.ready), 0)`),
        oldestPendingAt: sql<number | null>`(SELECT min(s.created_at)
          FROM ${sessions} AS s WHERE s.work_pool_id = ${workPools}.id
          AND s.status = 'pending')`,
      }).from(workPools).where(matchesRef(ref));
      return pressure;
    },
  };
}

const isUnused = sql`NOT EXISTS (SELECT 1 FROM ${sessions} AS s
  WHERE s.work_pool_id = ${workPools.id}
  AND s.status IN ('pending', 'starting', 'running'))`;

function matchesRef(ref: string | Placeholder): SQL | undefined {
  return or(eq(workPools.id, ref), eq(workPools.name, ref));
}

// Columns are written out with their table: among selected fields Drizzle drops the tables' names.
function countSessions(status: "pending" | "starting" | "running") {
  return sql<number>`(SELECT count(*) FROM ${sessions} AS s
    WHERE s.work_pool_id = ${workPools}.id AND s.status = ${status})`;
}

function aggregateWorkers(value: SQL) {
  return sql<number>`(SELECT ${value} FROM ${workers} AS w
    WHERE w.work_pool_id = ${workPools}.id
    AND w.status IN ('online', 'busy'))`;
}

async function withFreeName<T>(name: string, write: () => PromiseLike<T>) {
  try {
    return await write();
  } catch (error) {
    if (!isConstraintError(error)) throw error;
    throw new GridError(
      poolProblems.pool_name_taken,
      `Cannot name the work pool "${name}": another one has this name, expected a free one`,
      {},
    );
  }
}
