/**
 * Puts sessions into the queue. Like the claim it is one batch, so that limits and keys hold however many ask at once, on
 * however many replicas.
 *
 * @module
 */
import { getTableColumns, type SQL, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { countPoolRoom } from "../../workerpool/manager.ts";
import { workPools } from "../../workerpool/models.ts";
import type { IdempotentRequest } from "../idempotency.ts";
import { sessions } from "../models.ts";
import type { Secrets } from "../../../core/database.ts";
import type { SessionRow } from "../session.ts";
import { sealSession } from "./secrets.ts";
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
import { insertEvent } from "./transition.ts";

/** What came of an insertion. Neither: the pool is no longer there or active, or its queue is full. */
export interface Insertion {
  readonly isInserted: boolean;
  /** With a key: what the key stands for now, the new session or an earlier one. */
  readonly record?: IdempotencyRecord | undefined;
  /** The queue of the owner's API key, if that limit was the cause. */
  readonly keyQueue?: FullKeyQueue | undefined;
}

/**
 * Inserts the session if its pool takes it, and if `once` is no repeat of an earlier request. One round trip.
 */
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
  const events = [
    insertEvent(orm, "session_created", isNew, now),
    insertEvent(orm, "session_assigned", isNew, now, {
      work_pool_id: workPoolId,
    }),
  ] as const;
  if (!once) {
    const [[keyQueue], { rowsAffected }] = await orm.batch([
      fullKeyQueue(orm, row),
      orm.run(insertIfOpen(row)),
      ...events,
    ]);
    return { isInserted: rowsAffected > 0, keyQueue };
  }
  const [[keyQueue], , { rowsAffected }, , [found]] = await orm.batch([
    fullKeyQueue(orm, row),
    expire(orm, once, now),
    orm.run(sql`${insertIfOpen(row)} AND ${isUnused(orm, once)}`),
    record(orm, once, id, now),
    selectRecord(orm, once, now),
    ...events,
  ]);
  return { isInserted: rowsAffected > 0, record: found, keyQueue };
}

/** What an earlier request under the same key has made. One round trip. */
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
