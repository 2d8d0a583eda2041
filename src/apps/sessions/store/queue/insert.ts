/**
 * Adds sessions to the queue. Like a claim, an insertion is one batch, so that limits and idempotency keys hold for any
 * number of concurrent requests on any number of servers.
 *
 * @module
 */
import { getTableColumns, type SQL, sql } from "drizzle-orm";
import type { Database, Secrets } from "../../../../core/database.ts";
import { batchNamed } from "../../../../db/batch_named.ts";
import { countPoolRoom, workPools } from "../../../workerpool/models.ts";
import type { IdempotentRequest } from "../../idempotency.ts";
import { sessions } from "../../models.ts";
import type { SessionRow } from "../../session.ts";
import {
  expire,
  type IdempotencyRecord,
  isUnused,
  record,
  selectRecord,
} from "./idempotency.ts";
import {
  type FullKeyQueue,
  fullKeyQueue,
  isKeyQueueFull,
} from "./key_queue.ts";
import { sealSession } from "../secrets.ts";
import { insertEvent } from "../lifecycle/transition.ts";

/** The result of an insertion. Without session, record and key queue, the pool is gone, not active or full. */
export interface Insertion {
  readonly isInserted: boolean;
  /** For a request with a key: the record of the key, with the new session or an earlier one. */
  readonly record?: IdempotencyRecord | undefined;
  /** The queue of the owner's API key, if that limit was the cause. */
  readonly keyQueue?: FullKeyQueue | undefined;
}

/** Inserts the session if its pool accepts it, and if `once` does not repeat an earlier request. One round trip. */
export async function insertSession(
  { db: { orm }, secrets }: {
    readonly db: Database;
    readonly secrets: Secrets;
  },
  session: SessionRow,
  once?: IdempotentRequest,
): Promise<Insertion> {
  const row = await sealSession(secrets, session);
  const { id, createdAt: now, workPoolId } = row;
  const isNew = sql`${sessions.id} = ${id}`;
  const insertion = {
    keyQueue: fullKeyQueue(orm, row),
    expired: once ? expire(orm, once, now) : [],
    inserted: orm.run(
      once
        ? sql`${insertIfOpen(row)} AND ${isUnused(orm, once)}`
        : insertIfOpen(row),
    ),
    recorded: once ? record(orm, once, id, now) : [],
    record: once ? [selectRecord(orm, once, now)] : [],
    created: insertEvent(orm, "session_created", isNew, now),
    assigned: insertEvent(orm, "session_assigned", isNew, now, {
      work_pool_id: workPoolId,
    }),
  };
  const results = await batchNamed(orm, insertion);
  return {
    isInserted: results.inserted.rowsAffected > 0,
    record: results.record[0]?.[0],
    keyQueue: results.keyQueue[0],
  };
}

/** Returns the record of an earlier request with the same key. One round trip. */
export async function findRecord(
  { orm }: Database,
  once: IdempotentRequest,
  now: number,
): Promise<IdempotencyRecord | undefined> {
  const [found] = await selectRecord(orm, once, now);
  return found;
}

/** Repeats the limits of pool and key, so that two concurrent requests cannot exceed them together. */
function insertIfOpen(row: SessionRow): SQL {
  const columns = Object.entries(getTableColumns(sessions));
  const values: Readonly<Record<string, unknown>> = row;
  const names = columns.map(([, column]) => sql.identifier(column.name));
  const cells = columns.map(([key, column]) => {
    const value = values[key] ?? null;
    return value === null ? sql`NULL` : sql`${sql.param(value, column)}`;
  });
  return sql`INSERT INTO ${sessions} (${sql.join(names, sql`, `)})
    SELECT ${sql.join(cells, sql`, `)} FROM ${workPools}
    WHERE ${workPools.id} = ${row.workPoolId}
    AND ${workPools.status} = 'active' AND NOT ${isKeyQueueFull(row)}
    AND (${workPools.maxQueue} IS NULL OR ${workPools.maxQueue} + ${countPoolRoom()} >
      (SELECT count(*) FROM ${sessions} WHERE ${sessions.workPoolId} = ${workPools.id}
        AND ${sessions.status} = 'pending'))`;
}
