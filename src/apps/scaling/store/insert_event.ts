import type { ResultSet } from "@libsql/client";
import { type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "../../../core/database.ts";
import { insertEvents } from "../../events/models.ts";
import type { MachineEventType } from "../event_types.ts";
import { machines, scaledPools } from "../models.ts";

/** An event of machines. */
export interface MachineEvent {
  readonly type: MachineEventType;
  readonly now: number;
  readonly reason?: string | undefined;
}

/**
 * Returns the statement that records an event for every machine that meets `condition`, in which the machine is `m` and
 * its pool `p`.
 */
export function insertMachineEvent(
  orm: Database["orm"],
  condition: SQL,
  { type, now, reason }: MachineEvent,
): Statement<ResultSet> {
  return insertEvents(orm, {
    type,
    workPoolId: sql`m.pool_id`,
    workerId: sql`m.worker_id`,
    data: reason === undefined
      ? sql`json_object('name', p.name)`
      : sql`json_object('name', p.name, 'reason', ${reason})`,
    timestamp: now,
    source: sql`${machines} AS m CROSS JOIN ${scaledPools} AS p
      ON p.pool_id = m.pool_id WHERE ${condition} ORDER BY m.worker_id`,
  });
}

/** Returns the statement that records the event of a failure for the pool that meets `condition`. */
export function insertFailureEvent(
  orm: Database["orm"],
  condition: SQL,
  { workerId, reason, now }: {
    readonly workerId: string | undefined;
    readonly reason: string;
    readonly now: number;
  },
): Statement<ResultSet> {
  return insertEvents(orm, {
    type: "pool.machine_failed" satisfies MachineEventType,
    workPoolId: sql`${scaledPools.poolId}`,
    workerId: sql`${workerId ?? null}`,
    data: sql`json_object('name', ${scaledPools.name}, 'reason', ${reason})`,
    timestamp: now,
    source: sql`${scaledPools} WHERE ${condition}`,
  });
}
