import { and, eq, inArray, type SQL, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { sessions } from "../../sessions/models.ts";
import { workPools } from "../../workerpool/models.ts";
import { workers } from "../../workers/models.ts";
import { machines, scaledPools } from "../models.ts";
import { MAX_AHEAD_MS, MAX_PAUSE_AHEAD_MS } from "../failure.ts";
import type { Surplus } from "../planner.ts";
import type { MachineStatus } from "../../workerpool/status.ts";
import { insertFailureEvent, insertMachineEvent } from "./insert_event.ts";

/** One pass of the server that has the lease of a pool. No decision of an earlier pass takes effect. */
export interface Lease {
  readonly poolId: string;
  readonly server: string;
  readonly pass: number;
}

/** A machine to request. */
export interface NewMachine {
  readonly workerId: string;
  readonly keyId: string | null;
  /** Encrypted. */
  readonly key: string | null;
}

/** A start that failed, or a worker that did not register. */
export interface Failure {
  readonly poolId: string;
  /** Absent if no machine was requested. */
  readonly workerId?: string | undefined;
  readonly reason: string;
  readonly now: number;
  /** Time before which no machine of the pool is started. */
  readonly retryAt: number;
}

/** Time after which the same failure is recorded as an event again. */
const REPEAT_MS = 3_600_000;

/** Decisions about machines. Each method is one round trip and one guarded batch. */
export class MachineStore {
  readonly #orm: Database["orm"];

  constructor({ orm }: Database) {
    this.#orm = orm;
  }

  /** Inserts machines of an active pool, as long as it has fewer than `max`. Returns their worker ids. */
  async request(
    lease: Lease,
    added: readonly NewMachine[],
    { max, now }: { readonly max: number; readonly now: number },
  ): Promise<readonly string[]> {
    const list = JSON.stringify(added);
    const { inserted } = await batchNamed(this.#orm, {
      inserted: this.#orm.all<{ readonly id: string }>(
        sql`INSERT INTO ${machines} (worker_id, pool_id, status, attempts,
          key_id, key, requested_at, status_at)
        SELECT value ->> 'workerId', ${lease.poolId}, 'requested', 0,
          value ->> 'keyId', value ->> 'key', ${now}, ${now}
        FROM json_each(${list})
        WHERE ${isCurrent(lease)} AND EXISTS (SELECT 1 FROM ${workPools} AS p
          WHERE p.id = ${lease.poolId} AND p.status = 'active')
        AND json_each.key + (SELECT count(*) FROM ${machines} AS o
          INDEXED BY machines_pool WHERE o.pool_id = ${lease.poolId}
          AND o.status IN ('requested', 'starting', 'running', 'draining'))
          < ${max}
        RETURNING worker_id AS id`,
      ),
      events: insertMachineEvent(
        this.#orm,
        sql`m.worker_id IN (SELECT value ->> 'workerId'
          FROM json_each(${list}))`,
        { type: "pool.machine_requested", now },
      ),
    });
    return inserted.map(({ id }) => id);
  }

  /** Records that the infrastructure has accepted a request. */
  async recordAccepted(workerId: string, now: number): Promise<void> {
    await this.#orm.update(machines).set({
      status: "starting",
      acceptedAt: now,
      statusAt: now,
    }).where(and(
      eq(machines.workerId, workerId),
      eq(machines.status, "requested"),
    ));
  }

  /** Records that a worker has registered, which ends the pause after failures. */
  async recordRegistered(
    { workerId, poolId }: {
      readonly workerId: string;
      readonly poolId: string;
    },
    now: number,
  ): Promise<void> {
    await batchNamed(this.#orm, {
      machine: this.#orm.update(machines).set({
        status: "running",
        acceptedAt: sql`coalesce(${machines.acceptedAt}, ${now})`,
        key: null,
        statusAt: now,
      }).where(and(
        eq(machines.workerId, workerId),
        inArray(machines.status, ["requested", "starting"]),
      )),
      pool: this.#orm.update(scaledPools).set({ failures: 0, retryAt: null })
        .where(eq(scaledPools.poolId, poolId)),
    });
  }

  /** Records a drain that the worker or a person has begun or withdrawn. */
  async recordDrain(
    workerId: string,
    status: Extract<MachineStatus, "running" | "draining">,
    now: number,
  ): Promise<void> {
    await this.#orm.update(machines).set({ status, statusAt: now }).where(and(
      eq(machines.workerId, workerId),
      inArray(machines.status, ["running", "draining"]),
    ));
  }

  /** Decides that workers drain. Returns the ids of those that do. */
  async drain(
    lease: Lease,
    ids: readonly string[],
    now: number,
  ): Promise<readonly string[]> {
    const rows = await this.#orm.update(machines).set({
      status: "draining",
      drainedAt: now,
      statusAt: now,
    }).where(and(
      inArray(machines.workerId, [...ids]),
      eq(machines.status, "running"),
      isCurrent(lease),
    )).returning({ id: machines.workerId });
    return rows.map(({ id }) => id);
  }

  /** Decides that drained workers take sessions again. Returns their ids. */
  async resume(
    lease: Lease,
    ids: readonly string[],
    now: number,
  ): Promise<readonly string[]> {
    const rows = await this.#orm.update(machines).set({
      status: "running",
      drainedAt: null,
      statusAt: now,
    }).where(and(
      inArray(machines.workerId, [...ids]),
      eq(machines.status, "draining"),
      isCurrent(lease),
    )).returning({ id: machines.workerId });
    return rows.map(({ id }) => id);
  }

  /**
   * Decides to remove a machine whose worker holds no session. From then on no claim of the worker receives one. Returns
   * false if it is decided, the worker holds a session, or the pool has another server now.
   */
  async remove(
    lease: Lease,
    { workerId, reason, now, isUnregistered = false, isOver = false }: {
      readonly workerId: string;
      readonly reason: string;
      readonly now: number;
      /** True if the machine must be kept once its worker has registered. @default {false} */
      readonly isUnregistered?: boolean;
      /** True if sessions on the machine are lost in any case. @default {false} */
      readonly isOver?: boolean | undefined;
    },
  ): Promise<boolean> {
    const isFree = and(
      isUnregistered
        ? sql`NOT EXISTS (SELECT 1 FROM ${workers} AS w
          WHERE w.id = ${workerId})`
        : undefined,
      isOver ? undefined : holdsNothing(sql`${workerId}`),
    ) ?? sql`1`;
    const { removed } = await batchNamed(this.#orm, {
      event: insertMachineEvent(
        this.#orm,
        sql`m.worker_id = ${workerId} AND m.status <> 'removing'
          AND ${isCurrent(lease)} AND ${isFree}`,
        { type: "pool.machine_removed", now, reason },
      ),
      removed: this.#orm.update(machines).set({
        status: "removing",
        statusAt: now,
      }).where(and(
        eq(machines.workerId, workerId),
        sql`${machines.status} <> 'removing'`,
        isCurrent(lease),
        isFree,
      )),
    });
    return removed.rowsAffected > 0;
  }

  /**
   * Records machines that only the infrastructure has as in removal, except those whose workers hold sessions. Returns
   * their worker ids.
   */
  async recordOrphans(
    lease: Lease,
    ids: readonly string[],
    now: number,
  ): Promise<readonly string[]> {
    const rows = await this.#orm.all<{ readonly id: string }>(
      sql`INSERT INTO ${machines} (worker_id, pool_id, status, attempts,
        requested_at, accepted_at, status_at)
      SELECT value, ${lease.poolId}, 'removing', 0, ${now}, ${now}, ${now}
      FROM json_each(${JSON.stringify(ids)})
      WHERE ${isCurrent(lease)} AND ${holdsNothing(sql`value`)}
      ON CONFLICT DO NOTHING RETURNING worker_id AS id`,
    );
    return rows.map(({ id }) => id);
  }

  /** Records that the infrastructure has accepted a removal. */
  async recordRemoved(workerId: string, now: number): Promise<void> {
    await this.#orm.update(machines).set({ removedAt: now }).where(
      eq(machines.workerId, workerId),
    );
  }

  /** Deletes the row of a machine that is gone. */
  async delete(workerId: string): Promise<void> {
    await this.#orm.delete(machines).where(and(
      eq(machines.workerId, workerId),
      eq(machines.status, "removing"),
    ));
  }

  /** Records a failure and the pause that follows it. Failures during a pause are of the same attempt. */
  async recordFailure(
    { poolId, workerId, reason, now, retryAt }: Failure,
  ): Promise<void> {
    // As isPaused() has it: times from before the clock was set back do not count.
    const pausedUntil = sql`iif(
      ${scaledPools.retryAt} <= ${now + MAX_PAUSE_AHEAD_MS}
      AND ${scaledPools.lastFailureAt} <= ${now + MAX_AHEAD_MS},
      ${scaledPools.retryAt}, 0)`;
    const isNew = sql`(${scaledPools.lastFailure} IS NOT ${reason}
      OR abs(${now} - ${scaledPools.failureRecordedAt}) >= ${REPEAT_MS})`;
    await batchNamed(this.#orm, {
      event: insertFailureEvent(
        this.#orm,
        sql`${eq(scaledPools.poolId, poolId)} AND ${isNew}`,
        { workerId, reason, now },
      ),
      pool: this.#orm.update(scaledPools).set({
        failures: sql`${scaledPools.failures}
          + iif(${pausedUntil} > ${now}, 0, 1)`,
        retryAt: sql`max(${pausedUntil}, ${retryAt})`,
        failureRecordedAt:
          sql`iif(${isNew}, ${now}, ${scaledPools.failureRecordedAt})`,
        lastFailureAt: now,
        lastFailure: reason,
      }).where(eq(scaledPools.poolId, poolId)),
      machine: this.#orm.update(machines).set({
        attempts: sql`${machines.attempts} + 1`,
      }).where(eq(machines.workerId, workerId ?? "")),
    });
  }

  /** Remembers the surplus of a pool until the next pass. */
  async saveSurplus(lease: Lease, surplus: Surplus | undefined): Promise<void> {
    await this.#orm.update(scaledPools).set({
      surplusSince: surplus?.since ?? null,
      surplusLeast: surplus?.least ?? 0,
    }).where(and(eq(scaledPools.poolId, lease.poolId), isCurrent(lease)));
  }
}

/** Returns the condition that a worker holds no session. */
function holdsNothing(workerId: SQL): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM ${sessions} AS h
    WHERE h.worker_id = ${workerId} AND h.status IN ('starting', 'running'))`;
}

/** Returns the condition that a machine starts with a key, which its removal deletes. */
export function expectsKey(
  { workerId, keyId }: { readonly workerId: string; readonly keyId: string },
): SQL {
  return sql`EXISTS (SELECT 1 FROM ${machines} AS m
    WHERE m.worker_id = ${workerId} AND m.key_id = ${keyId}
    AND m.status IN ('requested', 'starting'))`;
}

/** Returns the condition that the pass is the last one over its pool. */
function isCurrent({ poolId, server, pass }: Lease): SQL {
  return sql`EXISTS (SELECT 1 FROM ${scaledPools} AS lease
    WHERE lease.pool_id = ${poolId} AND lease.lease_owner = ${server}
    AND lease.pass = ${pass})`;
}
