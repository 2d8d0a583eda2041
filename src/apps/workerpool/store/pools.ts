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
import type { Database, Secrets } from "../../../core/database.ts";
import { GridError } from "../../../core/errors.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { isConstraintError } from "../../../db/client.ts";
import { sessions } from "../../sessions/models.ts";
import { workers } from "../../workers/models.ts";
import { workPools } from "../models.ts";
import type { Pool, PoolFields } from "../pool.ts";
import { poolProblems } from "../problems.ts";
import type { PoolStatus } from "../status.ts";
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

/** Queries of work pools. Each method is one round trip. Secrets are encrypted in rows and decrypted in results. */
export class PoolStore {
  readonly #orm: Database["orm"];
  readonly #secrets: Secrets;
  /** Built once, because many requests run it. */
  readonly #byRef;

  constructor({ orm }: Database, secrets: Secrets) {
    this.#orm = orm;
    this.#secrets = secrets;
    this.#byRef = orm.select().from(workPools).where(
      matchesRef(sql.placeholder("ref")),
    ).prepare();
  }

  /** Inserts a pool. @throws {GridError} `pool_name_taken`. */
  async insert(pool: Pool): Promise<void> {
    const sealed = await sealPool(this.#secrets, pool.id, pool);
    await rejectTakenName(
      pool.name,
      () => this.#orm.insert(workPools).values(sealed),
    );
  }

  async find(ref: string): Promise<Pool | undefined> {
    const [pool] = await this.#byRef.all({ ref });
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

  /** Changes a pool and returns it. @throws {GridError} `pool_name_taken`. */
  async update(
    id: string,
    fields: Partial<PoolFields>,
    now: number,
  ): Promise<Pool | undefined> {
    const sealed = await sealPool(this.#secrets, id, fields);
    const [pool] = await rejectTakenName(
      fields.name ?? "",
      () =>
        this.#orm.update(workPools).set({ ...sealed, updatedAt: now })
          .where(eq(workPools.id, id)).returning(),
    );
    return pool && await openPool(this.#secrets, pool);
  }

  /**
   * Deletes a pool without live sessions, and its ended sessions. Returns false if it has live sessions, has workers
   * that are not offline, or does not exist.
   *
   * @param force Ignores the workers.
   */
  async remove(id: string, force: boolean): Promise<boolean> {
    const hasNoSession = notExists(
      this.#orm.select({ one: sql`1` }).from(sessions).where(and(
        eq(sessions.workPoolId, id),
        inArray(sessions.status, ["pending", "starting", "running"]),
      )),
    );
    const hasNoWorker = notExists(
      this.#orm.select({ one: sql`1` }).from(workers).where(and(
        eq(workers.workPoolId, id),
        ne(workers.status, "offline"),
      )),
    );
    const isUnused = force ? hasNoSession : and(hasNoSession, hasNoWorker);
    const { removed } = await batchNamed(this.#orm, {
      sessions: this.#orm.delete(sessions).where(
        and(eq(sessions.workPoolId, id), isUnused),
      ),
      removed: this.#orm.delete(workPools).where(
        and(eq(workPools.id, id), isUnused),
      ).returning({ id: workPools.id }),
    });
    return removed.length > 0;
  }

  /** Makes draining pools without a live session inactive. Returns their number. */
  async finishDrains(now: number): Promise<number> {
    const { rowsAffected } = await this.#orm.update(workPools).set({
      status: "inactive",
      updatedAt: now,
    }).where(and(eq(workPools.status, "draining"), hasNoLiveSession));
    return rowsAffected;
  }
}

const hasNoLiveSession = sql`NOT EXISTS (SELECT 1 FROM ${sessions} AS s
  WHERE s.work_pool_id = ${workPools.id}
  AND s.status IN ('pending', 'starting', 'running'))`;

/** Returns the condition that a pool has this id or name. */
export function matchesRef(ref: string | Placeholder): SQL | undefined {
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
