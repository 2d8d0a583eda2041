import type { ResultSet } from "@libsql/client";
import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Statement } from "../../../core/database.ts";
import { insertEvents } from "../../events/models.ts";
import type { WorkerEventType } from "../event_types.ts";
import { workers } from "../models.ts";

/** An event of workers. */
export interface WorkerEvent {
  /** SQL stands for a {@linkcode WorkerEventType}. */
  readonly type: WorkerEventType | SQL;
  readonly now: number | SQL;
  /** Null, or SQL that is null, stands for no reason. */
  readonly reason?: string | SQL;
}

/** Returns the statement that records an event for every worker that meets `condition`. */
export function insertWorkerEvent(
  orm: LibSQLDatabase,
  condition: SQL | undefined,
  { type, now, reason }: WorkerEvent,
): Statement<ResultSet> {
  const name = sql`json_object('name', ${workers.name})`;
  return insertEvents(orm, {
    type,
    workPoolId: sql`${workers.workPoolId}`,
    workerId: sql`${workers.id}`,
    data: reason === undefined
      ? name
      : sql`json_patch(${name}, json_object('reason', ${reason}))`,
    timestamp: now,
    source: sql`${workers} WHERE ${condition} ORDER BY ${workers.id}`,
  });
}
