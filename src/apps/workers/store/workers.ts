import { and, eq, inArray, notInArray, type SQL, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { workers } from "../models.ts";
import { WORKER_STATUSES, type WorkerStatus } from "../status.ts";
import type { SeriesPage, SeriesQuery } from "../../../db/series/reader.ts";
import type { WorkerMetric, WorkerRow } from "../worker.ts";
import { holdsNothing } from "./conditions.ts";
import { insertWorkerEvent } from "./insert_event.ts";
import { pruneMetrics, readMetrics } from "./metrics.ts";
import { listWorkers, type WorkerListOptions } from "./list_workers.ts";

/** Maximum number of workers that one statement of the reconciler changes. */
const MAX_ROWS = 1_000;

/** Queries of workers. Each method is one round trip. */
export class WorkerStore {
  readonly #db: Database;
  readonly #orm: Database["orm"];

  constructor(db: Database) {
    this.#db = db;
    this.#orm = db.orm;
  }

  async find(id: string): Promise<WorkerRow | undefined> {
    const [worker] = await this.#orm.select().from(workers).where(
      eq(workers.id, id),
    );
    return worker;
  }

  list(options: WorkerListOptions): Promise<readonly WorkerRow[]> {
    return listWorkers(this.#db, options);
  }

  /** Deletes a worker. Returns false if it holds sessions or does not exist. */
  async remove(id: string, now: number): Promise<boolean> {
    const isFree = and(eq(workers.id, id), holdsNothing(id));
    const type = "worker.deregistered";
    const { removed } = await batchNamed(this.#orm, {
      event: insertWorkerEvent(this.#orm, isFree, { type, now }),
      removed: this.#orm.delete(workers).where(isFree).returning({
        id: workers.id,
      }),
    });
    return removed.length > 0;
  }

  /** Requests a drain. @param deadlineAt Time at which the sessions that the worker still holds are ended. */
  async drain(
    id: string,
    now: number,
    deadlineAt: number,
  ): Promise<WorkerRow | undefined> {
    const isOne = eq(workers.id, id);
    const begins = and(
      isOne,
      notInArray(workers.status, ["offline", "draining"]),
    );
    const type = "worker.draining";
    const { updated } = await batchNamed(this.#orm, {
      event: insertWorkerEvent(this.#orm, begins, { type, now }),
      updated: this.#orm.update(workers).set({
        status: sql`iif(${workers.status} = 'offline', 'offline', 'draining')`,
        drainRequestedAt: now,
        drainDeadlineAt: deadlineAt,
        updatedAt: now,
      }).where(isOne).returning(),
    });
    return updated[0];
  }

  /** Cancels a drain. */
  async resume(id: string, now: number): Promise<WorkerRow | undefined> {
    const isOne = eq(workers.id, id);
    const isDraining = and(isOne, eq(workers.status, "draining"));
    const type = "worker.online";
    const { updated } = await batchNamed(this.#orm, {
      event: insertWorkerEvent(this.#orm, isDraining, { type, now }),
      updated: this.#orm.update(workers).set({
        status:
          sql`iif(${workers.status} = 'draining', 'online', ${workers.status})`,
        drainRequestedAt: null,
        drainDeadlineAt: null,
        updatedAt: now,
      }).where(isOne).returning(),
    });
    return updated[0];
  }

  /** Marks workers as offline whose last heartbeat is older than `since`. Returns their number. */
  async markLost(since: number, now: number): Promise<number> {
    const isLost = isAmong(
      WORKER_STATUSES.filter((status) => status !== "offline"),
      sql`${workers.lastHeartbeat} < ${since}`,
    );
    const { lost } = await batchNamed(this.#orm, {
      // A heartbeat in the future is from before the clock was set back, and would hide a lost worker.
      future: this.#orm.update(workers).set({ lastHeartbeat: now }).where(
        isAmong(WORKER_STATUSES, sql`${workers.lastHeartbeat} > ${now}`),
      ),
      event: insertWorkerEvent(this.#orm, isLost, {
        type: "worker.offline",
        now,
        reason: "it sent no heartbeat in time",
      }),
      lost: this.#orm.update(workers).set({
        status: "offline",
        currentLoad: 0,
        ready: 0,
        updatedAt: now,
      }).where(isLost).returning({ id: workers.id }),
    });
    return lost.length;
  }

  /** Reads measurements. Returns undefined if there is no such worker. */
  metrics(
    id: string,
    query: Omit<SeriesQuery, "id">,
    now: number,
  ): Promise<SeriesPage<WorkerMetric> | undefined> {
    return readMetrics(this.#db, id, query, now);
  }

  /** Deletes workers that are offline since `before`, and some measurements from before. Returns the number of workers. */
  async prune(before: number, now: number): Promise<number> {
    const isOld = isAmong(
      ["offline"],
      sql`${workers.lastHeartbeat} < ${before}`,
    );
    const { pruned } = await batchNamed(this.#orm, {
      event: insertWorkerEvent(this.#orm, isOld, {
        type: "worker.deregistered",
        now,
        reason: "it was offline for the retention time",
      }),
      pruned: this.#orm.delete(workers).where(isOld),
      metrics: pruneMetrics(this.#orm, before),
    });
    return pruned.rowsAffected;
  }
}

/** Returns the condition that a worker is among the first that have a status and meet a condition of the last heartbeat. */
function isAmong(statuses: readonly WorkerStatus[], condition: SQL): SQL {
  return sql`${workers.id} IN (SELECT ${workers.id}
    FROM ${workers} INDEXED BY workers_heartbeat
    WHERE ${inArray(workers.status, [...statuses])} AND ${condition}
    LIMIT ${MAX_ROWS})`;
}
