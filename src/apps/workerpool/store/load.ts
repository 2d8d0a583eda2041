import { type SQL, sql } from "drizzle-orm";
import type { Database, Secrets } from "../../../core/database.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { sessions } from "../../sessions/models.ts";
import { machines, scaledPools } from "../../scaling/models.ts";
import { workers } from "../../workers/models.ts";
import { countPoolRoom, workPools } from "../models.ts";
import type { Pool, PoolPressure } from "../pool.ts";
import { matchesRef } from "./pools.ts";
import { openPool } from "./secrets.ts";

/**
 * Maximum number of queued sessions that are counted to compare pools, so that the cost of an assignment does not grow
 * with the queue. Longer queues count as equally long.
 */
const MAX_COMPARED = 256;

/** The same for a pool with `max_queue`, which limits the count too. */
const MAX_COUNTED = 10_000;

/** The same for the pressure of one pool: a few milliseconds. */
const MAX_PRESSURE = 100_000;

/** Length of a queue from which on the room of all workers is counted. */
const MANY = 32;

/** The values of a pool that decide the assignment of a session. */
export interface PoolLoad {
  readonly pool: Pool;
  /**
   * At most {@linkcode MAX_COMPARED} if the pool has no `max_queue`, otherwise {@linkcode MAX_COUNTED}; the insertion itself
   * compares a longer `max_queue`.
   */
  readonly pending: number;
  /** Number of sessions that the pool could start at once; less if that is still more than `pending`. */
  readonly room: number;
  /** Operating systems that the workers' hosts reported, by the names of the runtime's targets. */
  readonly hosts: readonly string[];
}

const selectAll = prepare(({ orm }) => ({ loads: selectLoads(orm) }));

const selectByRef = prepare(({ orm }, bind: Bind<{ ref: string }>) => ({
  loads: selectLoads(orm).where(matchesRef(bind("ref"))),
}));

/** Reads the load of work pools. Each method is one round trip. */
export class PoolLoadStore {
  readonly #db: Database;
  readonly #orm: Database["orm"];
  readonly #secrets: Secrets;

  constructor(db: Database, secrets: Secrets) {
    this.#db = db;
    this.#orm = db.orm;
    this.#secrets = secrets;
  }

  /** Reads the loads of all pools, or of the pool `ref`. */
  async readLoads(ref?: string): Promise<readonly PoolLoad[]> {
    const { loads } = ref === undefined
      ? selectAll(this.#db, {})
      : selectByRef(this.#db, { ref });
    return await Promise.all(
      (await loads).map(async (load) => ({
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
      // Ids are in the order of creation.
      oldestPendingAt: sql<number | null>`(SELECT s.created_at
        FROM ${sessions} AS s INDEXED BY sessions_pool
        WHERE s.work_pool_id = ${workPools}.id AND s.status = 'pending'
        ORDER BY s.id LIMIT 1)`,
      machines: countMachines(),
      machineFailure: readFailure<string>(sql`p.last_failure`),
      machineFailureAt: readFailure<number>(sql`p.last_failure_at`),
    }).from(workPools).where(matchesRef(ref));
    return pressure;
  }
}

// Columns are written with their table, because Drizzle drops the tables' names among selected fields.
function selectLoads(orm: Database["orm"]) {
  return orm.select({
    pool: workPools,
    pending: sql<number>`iif(${workPools}.max_queue IS NULL, ${
      countSessions("pending", MAX_COMPARED)
    }, ${countSessions("pending", MAX_COUNTED)})`,
    // An assignment asks only if there is more room than sessions wait: a short queue needs few workers.
    room: sql<number>`iif(${countSessions("pending", MANY)} < ${
      sql.raw(String(MANY))
    }, ${countPoolRoom(MANY)}, ${countPoolRoom()})`,
    hosts: listHosts(),
  }).from(workPools).orderBy(workPools.id).$dynamic();
}

/** Returns SQL for the operating systems of the pool's workers: each is found in the index, without the other workers. */
function listHosts() {
  const os = sql.raw("w.provider_details ->> 'os'");
  const next = (condition: SQL) =>
    sql`(SELECT ${os} FROM ${workers} AS w
      WHERE w.work_pool_id = ${workPools}.id AND ${condition}
      ORDER BY ${os} LIMIT 1)`;
  return sql<string>`(WITH RECURSIVE host(os) AS (
      SELECT ${next(sql`${os} IS NOT NULL`)}
      UNION ALL SELECT ${next(sql`${os} > host.os`)}
      FROM host WHERE host.os IS NOT NULL)
    SELECT json_group_array(os) FROM host WHERE os IS NOT NULL)`.mapWith((
    text: string,
  ): readonly string[] => JSON.parse(text));
}

function countSessions(
  status: "pending" | "starting" | "running",
  most = MAX_PRESSURE,
) {
  return sql<number>`(SELECT count(*) FROM (SELECT 1
    FROM ${sessions} AS s INDEXED BY sessions_pool
    WHERE s.work_pool_id = ${workPools}.id AND s.status = ${status}
    LIMIT ${sql.raw(String(most))}))`;
}

function countMachines() {
  return sql<string>`(SELECT json_group_object(status, count) FROM (
    SELECT m.status, count(*) AS count
    FROM ${machines} AS m INDEXED BY machines_pool
    WHERE m.pool_id = ${workPools}.id GROUP BY m.status) AS one)`.mapWith((
    text: string,
  ): PoolPressure["machines"] => JSON.parse(text));
}

function readFailure<T>(column: SQL) {
  return sql<T | null>`(SELECT ${column} FROM ${scaledPools} AS p
    WHERE p.pool_id = ${workPools}.id)`;
}

function aggregateWorkers(value: SQL) {
  return sql<number>`(SELECT ${value} FROM ${workers} AS w
    WHERE w.work_pool_id = ${workPools}.id
    AND w.status IN ('online', 'busy'))`;
}
