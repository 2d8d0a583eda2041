import type { ResultSet } from "@libsql/client";
import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Statement } from "../../../core/database.ts";
import { insertEvents } from "../../events/models.ts";
import type { PoolEventType } from "../event_types.ts";
import { workPools } from "../models.ts";

/** An event of work pools. */
export interface PoolEvent {
  readonly type: PoolEventType;
  readonly now: number | SQL;
  /** JSON object that is added to the name. */
  readonly data?: SQL;
}

/** Returns the statement that records an event for every work pool that meets `condition`. */
export function insertPoolEvent(
  orm: LibSQLDatabase,
  condition: SQL | undefined,
  { type, now, data = sql`'{}'` }: PoolEvent,
): Statement<ResultSet> {
  return insertEvents(orm, {
    type,
    workPoolId: sql`${workPools.id}`,
    data: sql`json_patch(json_object('name', ${workPools.name}), ${data})`,
    timestamp: now,
    source: sql`${workPools} WHERE ${condition} ORDER BY ${workPools.id}`,
  });
}
