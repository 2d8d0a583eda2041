import type { ResultSet } from "@libsql/client";
import { and, eq, getTableColumns, type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { isConstraintError } from "../../../db/client.ts";
import type { LeasedSession, SessionManager } from "../../sessions/manager.ts";
import { insertEvents } from "../../events/models.ts";
import { workPools } from "../../workerpool/models.ts";
import { grid, workers } from "../models.ts";
import type { WorkerRow } from "../worker.ts";
import { insertWorkerEvent } from "./insert_event.ts";

/** A worker that registers. */
export interface RegistrationRequest {
  readonly row: WorkerRow;
  /** True if a worker with this id is stored. Otherwise the worker is identified by pool and name. */
  readonly isKnownId: boolean;
  /** Becomes the id of the grid if the grid has none yet. */
  readonly gridId: string;
  /** Creates the statements that hand the worker's sessions to its new process. */
  readonly takeOver: SessionManager["takeOver"];
}

/** The outcome of a registration. */
export interface RegistrationResult {
  /** Absent if the name or id belongs to another worker, or the pool has its maximum number of workers. */
  readonly worker?: WorkerRow | undefined;
  /** Number of other workers in the pool that are not offline. */
  readonly others: number;
  readonly gridId: string;
  readonly held: readonly LeasedSession[];
}

/** Registers workers. */
export class RegistrationStore {
  readonly #orm: Database["orm"];

  constructor({ orm }: Database) {
    this.#orm = orm;
  }

  /**
   * Inserts a worker, or updates the stored one if its pool, its id or name, and its secret are the same. One round
   * trip.
   */
  async register(request: RegistrationRequest): Promise<RegistrationResult> {
    const { row, gridId } = request;
    const takeOver = this.#takeOver(request);
    try {
      const { worker: [worker], grid: [found], held } = await batchNamed(
        this.#orm,
        {
          newGrid: this.#orm.insert(grid).values({ only: 1, id: gridId })
            .onConflictDoNothing(),
          events: this.#insertEvents(request),
          raise: takeOver.raise,
          worker: request.isKnownId ? this.#update(row) : this.#insert(row),
          grid: this.#orm.select({ id: grid.id, others: countOthers(row) })
            .from(grid),
          held: takeOver.held,
        },
      );
      return {
        worker,
        others: found?.others ?? 0,
        gridId: found?.id ?? gridId,
        held,
      };
    } catch (error) {
      if (!isConstraintError(error)) throw error;
      return { others: 0, gridId, held: [] };
    }
  }

  /** Returns the statements that record the registration of a new process, or the return of a known one. */
  #insertEvents(
    request: RegistrationRequest,
  ): readonly Statement<ResultSet>[] {
    const { row, isKnownId } = request;
    const now = row.updatedAt;
    const isStored = sql`${matchesStored(request)} AND ${hasRoom(row)}`;
    const isNew = sql`NOT EXISTS (SELECT 1 FROM ${workers}
      WHERE ${matchesName(row)}) AND ${hasRoom(row)}`;
    return [
      insertWorkerEvent(
        this.#orm,
        sql`${isStored} AND NOT ${isSameProcess(row)}`,
        { type: "worker.registered", now },
      ),
      insertWorkerEvent(
        this.#orm,
        sql`${isStored} AND ${isSameProcess(row)}
          AND ${workers.status} IN ('offline', 'failed')`,
        {
          type: sql`iif(${workers.drainRequestedAt} IS NULL, 'worker.online',
            'worker.draining')`,
          now,
        },
      ),
      ...isKnownId ? [] : [
        insertEvents(this.#orm, {
          type: "worker.registered",
          workPoolId: sql`${row.workPoolId}`,
          workerId: sql`${row.id}`,
          data: { name: row.name },
          timestamp: now,
          source: sql`(SELECT 1) WHERE ${isNew}`,
        }),
      ],
    ];
  }

  #takeOver(request: RegistrationRequest) {
    const { row, takeOver } = request;
    const isStored = matchesStored(request);
    return takeOver({
      // A repeated or rejected registration replaces no process.
      replaced: sql`${isStored} AND NOT ${isSameProcess(row)}
        AND ${hasRoom(row)}`,
      registered: sql`${isStored} AND ${isSameProcess(row)}`,
      reach: row.reach === "auto" ? null : row.reach,
    });
  }

  /** Inserts a worker, or updates the one with the same pool, name and secret. */
  #insert(row: WorkerRow): Statement<WorkerRow[]> {
    return this.#orm.insert(workers).select(selectIfRoom(row))
      .onConflictDoUpdate({
        target: [workers.workPoolId, workers.name],
        set: toUpdate(row),
        setWhere: eq(workers.secretHash, row.secretHash),
      }).returning();
  }

  /** Updates the worker with this id if its pool and secret are the same. */
  #update(row: WorkerRow): Statement<WorkerRow[]> {
    return this.#orm.update(workers).set({
      name: row.name,
      ...toUpdate(row),
    }).where(and(
      matchesId(row),
      eq(workers.workPoolId, row.workPoolId),
      eq(workers.secretHash, row.secretHash),
      hasRoom(row),
    )).returning();
  }
}

/** Returns the condition that a worker is the one that registers: its pool, its id or name, and its secret are the same. */
function matchesStored({ row, isKnownId }: RegistrationRequest): SQL {
  return sql`${isKnownId ? matchesId(row) : matchesName(row)}
    AND ${eq(workers.workPoolId, row.workPoolId)}
    AND ${eq(workers.secretHash, row.secretHash)}`;
}

function matchesId({ id }: WorkerRow): SQL {
  return eq(workers.id, id);
}

function matchesName({ workPoolId, name }: WorkerRow): SQL {
  return sql`${eq(workers.workPoolId, workPoolId)}
    AND ${eq(workers.name, name)}`;
}

/** Returns the condition that the process registered last: its request is repeated or late. */
function isSameProcess({ instanceId }: WorkerRow): SQL {
  return sql`(${workers.instanceId} IS ${instanceId})`;
}

/** Selects the row unless its pool is full: concurrent registrations cannot exceed the limit together. */
function selectIfRoom(row: WorkerRow): SQL {
  const values: Readonly<Record<string, unknown>> = row;
  const cells = Object.entries(getTableColumns(workers)).map(
    ([key, column]) => sql`${sql.param(values[key] ?? null, column)}`,
  );
  return sql`SELECT ${sql.join(cells, sql`, `)} WHERE ${hasRoom(row)}`;
}

function hasRoom(row: WorkerRow): SQL {
  return sql`coalesce((SELECT p.max_workers FROM ${workPools} AS p
    WHERE p.id = ${row.workPoolId}), 9e9) > ${countOthers(row)}`;
}

function countOthers({ id, name, workPoolId }: WorkerRow): SQL<number> {
  return sql<number>`(SELECT count(*) FROM ${workers} AS o
    WHERE o.work_pool_id = ${workPoolId} AND o.status <> 'offline'
    AND o.id <> ${id} AND o.name <> ${name})`;
}

/** Returns the columns of a stored worker that a registration changes. */
function toUpdate(row: WorkerRow) {
  const isSame = isSameProcess(row);
  return {
    providerDetails: row.providerDetails,
    capacity: row.capacity,
    ipAddress: row.ipAddress,
    ready: 0,
    reach: row.reach,
    reached: sql`iif(${isSame}, ${workers.reached}, NULL)`,
    tunnelUrl: sql`iif(${isSame}, ${workers.tunnelUrl}, NULL)`,
    version: row.version,
    // A drain command applies to one process. A new process is not draining.
    status: sql`iif(${isSame} AND ${workers.drainRequestedAt} IS NOT NULL,
      'draining', 'online')`,
    instanceId: row.instanceId,
    drainRequestedAt: sql`iif(${isSame}, ${workers.drainRequestedAt}, NULL)`,
    drainDeadlineAt: sql`iif(${isSame}, ${workers.drainDeadlineAt}, NULL)`,
    updatedAt: row.updatedAt,
    lastHeartbeat: row.lastHeartbeat,
  } as const;
}
