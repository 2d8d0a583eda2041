import { type SQL, sql } from "drizzle-orm";
import type { Database, Secrets } from "../../../core/database.ts";
import { sessions } from "../../sessions/models.ts";
import { workers } from "../../workers/models.ts";
import { countPoolRoom, workPools } from "../models.ts";
import type { Pool, PoolPressure } from "../pool.ts";
import { matchesRef } from "./pools.ts";
import { openPool } from "./secrets.ts";

/** Maximum number of queued sessions that are counted for an assignment, so that its cost does not grow with the queue. */
const MAX_COUNTED = 100_000;

/** The values of a pool that decide the assignment of a session. */
export interface PoolLoad {
  readonly pool: Pool;
  /** At most {@linkcode MAX_COUNTED}; the insertion itself compares a longer `max_queue`. */
  readonly pending: number;
  /** Number of sessions that the pool could start at once. */
  readonly room: number;
  /** Operating systems that the workers' hosts reported, by the names of the runtime's targets. */
  readonly hosts: readonly string[];
}

/** Reads the load of work pools. Each method is one round trip. */
export class PoolLoadStore {
  readonly #orm: Database["orm"];
  readonly #secrets: Secrets;
  /** Built once, because every new session runs one of them. */
  readonly #all;
  readonly #byRef;

  constructor({ orm }: Database, secrets: Secrets) {
    this.#orm = orm;
    this.#secrets = secrets;
    this.#all = selectLoads(orm).prepare();
    this.#byRef = selectLoads(orm).where(matchesRef(sql.placeholder("ref")))
      .prepare();
  }

  /** Reads the loads of all pools, or of the pool `ref`. */
  async readLoads(ref?: string): Promise<readonly PoolLoad[]> {
    const loads =
      await (ref === undefined ? this.#all.all() : this.#byRef.all({ ref }));
    return await Promise.all(
      loads.map(async (load) => ({
        ...load,
        pool: await openPool(this.#secrets, load.pool),
      })),
    );
  }

  /** Reads the load of a pool for people. Its secrets stay encrypted. */
  async readPressure(ref: string): Promise<PoolPressure | undefined> {
    const [pressure] = await this.#orm.select({
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
  }
}

// Columns are written with their table, because Drizzle drops the tables' names among selected fields.
function selectLoads(orm: Database["orm"]) {
  return orm.select({
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
}

function countSessions(status: "pending" | "starting" | "running") {
  return sql<number>`(SELECT count(*) FROM ${sessions} AS s
    WHERE s.work_pool_id = ${workPools}.id AND s.status = ${status})`;
}

function aggregateWorkers(value: SQL) {
  return sql<number>`(SELECT ${value} FROM ${workers} AS w
    WHERE w.work_pool_id = ${workPools}.id
    AND w.status IN ('online', 'busy'))`;
}
