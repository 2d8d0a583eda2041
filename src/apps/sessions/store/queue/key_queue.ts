import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Bind } from "../../../../db/prepare.ts";
import type { Statement } from "../../../../core/database.ts";
import { apiKeys } from "../../../keys/models.ts";
import { countPoolRoom, workPools } from "../../../workerpool/models.ts";
import { sessions } from "../../models.ts";
import { countKeyRoom } from "./next.ts";

/** The queue of a key that has reached its `max_queue`. */
export interface FullKeyQueue {
  readonly maxQueue: number;
  readonly pending: number;
}

/** The values of the queue of a key. */
interface QueueValues {
  readonly owner: string;
  readonly workPoolId: string;
}

/** Returns the condition that the queue of the owner's key is full, for a row of `work_pools`. */
export function isKeyQueueFull(bind: Bind<QueueValues>): SQL {
  // Nothing is counted without a limit, and the room of all workers only if the sessions that wait exceed it.
  return sql`EXISTS (SELECT 1 FROM ${apiKeys} AS k WHERE k.id = ${bind("owner")}
    AND CASE WHEN k.max_queue IS NULL THEN 0
      WHEN k.max_queue > ${countPending(bind)} THEN 0
      ELSE k.max_queue + max(0, min(${countPoolRoom()}, ${
    countKeyRoom(bind("owner"))
  })) <= ${countPending(bind)} END)`;
}

/** Returns the statement that reads the queue of the owner's key, if it is full. */
export function fullKeyQueue(
  orm: LibSQLDatabase,
  bind: Bind<QueueValues>,
): Statement<FullKeyQueue[]> {
  return orm.all<FullKeyQueue>(sql`SELECT k.max_queue AS "maxQueue",
    ${countPending(bind)} AS pending
    FROM ${apiKeys} AS k, ${workPools} WHERE k.id = ${bind("owner")}
    AND k.max_queue IS NOT NULL
    AND ${workPools.id} = ${bind("workPoolId")} AND ${isKeyQueueFull(bind)}`);
}

function countPending(bind: Bind<QueueValues>): SQL {
  return sql`(SELECT count(*) FROM ${sessions} AS o
    WHERE o.owner = ${bind("owner")} AND o.status = 'pending')`;
}
