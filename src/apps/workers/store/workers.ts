import { and, eq, gt, lt, ne, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { workers } from "../models.ts";
import type { WorkerStatus } from "../status.ts";
import type { WorkerRow } from "../worker.ts";
import { holdsNothing } from "./conditions.ts";

/** Selects workers to list, in order of age. */
export interface WorkerListOptions {
  readonly work_pool_id?: string | undefined;
  readonly status?: WorkerStatus | undefined;
  readonly limit: number;
  /** Id of the last worker of the previous page. */
  readonly cursor?: string | undefined;
}

/** Queries of workers. Each method is one round trip. */
export class WorkerStore {
  readonly #orm: Database["orm"];

  constructor({ orm }: Database) {
    this.#orm = orm;
  }

  async find(id: string): Promise<WorkerRow | undefined> {
    const [worker] = await this.#orm.select().from(workers).where(
      eq(workers.id, id),
    );
    return worker;
  }

  async list(
    { work_pool_id, status, limit, cursor }: WorkerListOptions,
  ): Promise<readonly WorkerRow[]> {
    return await this.#orm.select().from(workers).where(and(
      work_pool_id ? eq(workers.workPoolId, work_pool_id) : undefined,
      status && eq(workers.status, status),
      cursor ? gt(workers.id, cursor) : undefined,
    )).orderBy(workers.id).limit(limit);
  }

  /** Deletes a worker. Returns false if it holds sessions or does not exist. */
  async remove(id: string): Promise<boolean> {
    const removed = await this.#orm.delete(workers).where(
      and(eq(workers.id, id), holdsNothing(id)),
    ).returning({ id: workers.id });
    return removed.length > 0;
  }

  /** Requests a drain. @param deadlineAt Time at which the sessions that the worker still holds are ended. */
  async drain(
    id: string,
    now: number,
    deadlineAt: number,
  ): Promise<WorkerRow | undefined> {
    const [worker] = await this.#orm.update(workers).set({
      status: sql`iif(${workers.status} = 'offline', 'offline', 'draining')`,
      drainRequestedAt: now,
      drainDeadlineAt: deadlineAt,
      updatedAt: now,
    }).where(eq(workers.id, id)).returning();
    return worker;
  }

  /** Cancels a drain. */
  async resume(id: string, now: number): Promise<WorkerRow | undefined> {
    const [worker] = await this.#orm.update(workers).set({
      status:
        sql`iif(${workers.status} = 'draining', 'online', ${workers.status})`,
      drainRequestedAt: null,
      drainDeadlineAt: null,
      updatedAt: now,
    }).where(eq(workers.id, id)).returning();
    return worker;
  }

  /** Marks workers as offline whose last heartbeat is older than `since`. Returns their number. */
  async markLost(since: number, now: number): Promise<number> {
    const { lost } = await batchNamed(this.#orm, {
      // A heartbeat in the future is from before the clock was set back, and would hide a lost worker.
      future: this.#orm.update(workers).set({ lastHeartbeat: now }).where(
        gt(workers.lastHeartbeat, now),
      ),
      lost: this.#orm.update(workers).set({
        status: "offline",
        currentLoad: 0,
        ready: 0,
        updatedAt: now,
      }).where(
        and(lt(workers.lastHeartbeat, since), ne(workers.status, "offline")),
      ).returning({ id: workers.id }),
    });
    return lost.length;
  }

  /** Deletes workers that are offline since `before`. Returns their number. */
  async prune(before: number): Promise<number> {
    const { rowsAffected } = await this.#orm.delete(workers).where(and(
      eq(workers.status, "offline"),
      lt(workers.lastHeartbeat, before),
    ));
    return rowsAffected;
  }
}
