import {
  and,
  eq,
  getTableColumns,
  gt,
  ne,
  or,
  type SQL,
  sql,
} from "drizzle-orm";
import type { Database, Secrets, Statement } from "../../../core/database.ts";
import { GridError } from "../../../core/errors.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { isConstraintError } from "../../../db/client.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { sessions } from "../../sessions/models.ts";
import { POOL_STATUS_EVENTS } from "../event_types.ts";
import { workPools } from "../models.ts";
import type { Pool, PoolFields } from "../pool.ts";
import { poolProblems } from "../problems.ts";
import type { PoolStatus } from "../status.ts";
import { insertPoolEvent } from "./insert_event.ts";
import { openPool, sealPool } from "./secrets.ts";

/** Selects pools to list, in order of age. */
export interface PoolListOptions {
  readonly status?: PoolStatus | undefined;
  readonly provider_type?: string | undefined;
  /** Id of the only pool that the caller may see. */
  readonly only?: string | undefined;
  readonly limit: number;
  /** Id of the last pool of the previous page. */
  readonly cursor?: string | undefined;
}

/** A change of a pool. */
export interface PoolUpdate {
  readonly fields: Partial<PoolFields>;
  /** Names of the fields that differ. */
  readonly changed: readonly (keyof PoolFields)[];
}

const selectByRef = prepare(({ orm }, bind: Bind<{ ref: string }>) => ({
  pools: orm.select().from(workPools).where(matchesRef(bind("ref"))),
}));

/** Queries of work pools. Each method is one round trip. Secrets are encrypted in rows and decrypted in results. */
export class PoolStore {
  readonly #db: Database;
  readonly #orm: Database["orm"];
  readonly #secrets: Secrets;

  constructor(db: Database, secrets: Secrets) {
    this.#db = db;
    this.#orm = db.orm;
    this.#secrets = secrets;
  }

  /** Inserts a pool. @throws {GridError} `pool_name_taken`. */
  async insert(pool: Pool): Promise<void> {
    const sealed = await sealPool(this.#secrets, pool.id, pool);
    await rejectTakenName(
      pool.name,
      () =>
        batchNamed(this.#orm, {
          inserted: this.#orm.insert(workPools).values(sealed),
          event: insertPoolEvent(this.#orm, eq(workPools.id, pool.id), {
            type: "pool.created",
            now: pool.createdAt,
            data: sql`json_object('provider_type', ${workPools.providerType})`,
          }),
        }),
    );
  }

  async find(ref: string): Promise<Pool | undefined> {
    const [pool] = await selectByRef(this.#db, { ref }).pools;
    return pool && await openPool(this.#secrets, pool);
  }

  async list(
    { status, provider_type, only, limit, cursor }: PoolListOptions,
  ): Promise<readonly Pool[]> {
    const pools = await this.#orm.select().from(workPools).where(and(
      status && eq(workPools.status, status),
      provider_type ? eq(workPools.providerType, provider_type) : undefined,
      only ? eq(workPools.id, only) : undefined,
      cursor ? gt(workPools.id, cursor) : undefined,
    )).orderBy(workPools.id).limit(limit);
    return await Promise.all(
      pools.map((pool) => openPool(this.#secrets, pool)),
    );
  }

  /**
   * Changes a pool and returns it.
   *
   * @param change `changed` has the names of the fields that differ, for the event.
   * @throws {GridError} `pool_name_taken`.
   */
  async update(
    id: string,
    { fields, changed }: PoolUpdate,
    now: number,
  ): Promise<Pool | undefined> {
    const sealed = await sealPool(this.#secrets, id, fields);
    const { updated: [pool] } = await rejectTakenName(
      fields.name ?? "",
      () =>
        batchNamed(this.#orm, {
          status: this.#insertStatusEvent(id, fields, now),
          updated: this.#orm.update(workPools).set({
            ...sealed,
            updatedAt: now,
          }).where(eq(workPools.id, id)).returning(),
          event: this.#insertUpdateEvent(id, changed, now),
        }),
    );
    return pool && await openPool(this.#secrets, pool);
  }

  #insertStatusEvent(
    id: string,
    { status }: Partial<PoolFields>,
    now: number,
  ): readonly Statement<unknown>[] {
    if (status === undefined) return [];
    const changes = and(eq(workPools.id, id), ne(workPools.status, status));
    const type = POOL_STATUS_EVENTS[status];
    return [insertPoolEvent(this.#orm, changes, { type, now })];
  }

  #insertUpdateEvent(
    id: string,
    changed: readonly (keyof PoolFields)[],
    now: number,
  ): readonly Statement<unknown>[] {
    const columns = getTableColumns(workPools);
    const names = changed.filter((name) => name !== "status")
      .map((name) => columns[name].name);
    if (names.length === 0) return [];
    return [
      insertPoolEvent(this.#orm, eq(workPools.id, id), {
        type: "pool.updated",
        now,
        data: sql`json_object('changed', json(${JSON.stringify(names)}))`,
      }),
    ];
  }

  /** Makes draining pools without a live session inactive. Returns their number. */
  async finishDrains(now: number): Promise<number> {
    const isOver = and(eq(workPools.status, "draining"), hasNoLiveSession);
    const { updated } = await batchNamed(this.#orm, {
      event: insertPoolEvent(this.#orm, isOver, { type: "pool.inactive", now }),
      updated: this.#orm.update(workPools).set({
        status: "inactive",
        updatedAt: now,
      }).where(isOver),
    });
    return updated.rowsAffected;
  }
}

const hasNoLiveSession = sql`NOT EXISTS (SELECT 1 FROM ${sessions} AS s
  WHERE s.work_pool_id = ${workPools.id}
  AND s.status IN ('pending', 'starting', 'running'))`;

/** Returns the condition that a pool has this id or name. */
export function matchesRef(ref: string | SQL): SQL | undefined {
  return or(eq(workPools.id, ref), eq(workPools.name, ref));
}

async function rejectTakenName<T>(
  name: string,
  write: () => PromiseLike<T>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!isConstraintError(error)) throw error;
    throw new GridError(
      poolProblems.pool_name_taken,
      `Cannot name the work pool "${name}": another pool has this name, expected a free one`,
    );
  }
}
