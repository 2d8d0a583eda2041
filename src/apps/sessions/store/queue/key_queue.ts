import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
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

/** Identifies the queue of a key. */
interface QueueScope {
  readonly owner: string;
  readonly workPoolId: string;
}

/** Returns the condition that the queue of the owner's key is full, for a row of `work_pools`. */
export function isKeyQueueFull({ owner }: QueueScope): SQL {
  return sql`EXISTS (SELECT 1 FROM ${apiKeys} AS k WHERE k.id = ${owner}
    AND k.max_queue + max(0, min(${countPoolRoom()}, ${
    countKeyRoom(sql`k.id`)
  }))
      <= ${countPending(owner)})`;
}

/** Returns the statement that reads the queue of the owner's key, if it is full. */
export function fullKeyQueue(
  orm: LibSQLDatabase,
  asked: QueueScope,
): Statement<FullKeyQueue[]> {
  return orm.all<FullKeyQueue>(sql`SELECT k.max_queue AS "maxQueue",
    ${countPending(asked.owner)} AS pending
    FROM ${apiKeys} AS k, ${workPools} WHERE k.id = ${asked.owner}
    AND ${workPools.id} = ${asked.workPoolId} AND ${isKeyQueueFull(asked)}`);
}

function countPending(owner: string): SQL {
  return sql`(SELECT count(*) FROM ${sessions} AS o
    WHERE o.owner = ${owner} AND o.status = 'pending')`;
}
