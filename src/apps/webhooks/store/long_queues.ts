/**
 * Work pools with long queues, for the webhooks of `pool.queue_long`. A queue counts as long from the check that finds it
 * longer than allowed until one that does not.
 *
 * @module
 */
import { sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { sessions } from "../../sessions/models.ts";
import { workPools } from "../../workerpool/models.ts";
import { QUEUE_LONG } from "../event_pattern.ts";
import {
  queueHooks,
  receivesFrom,
  webhookDeliveries,
  webhooks,
} from "../models.ts";

/** The queue of a work pool, as a webhook sees it. */
export interface WatchedQueue {
  readonly webhookId: string;
  /** JSON list of the pools whose queue was long at the last check. */
  readonly longQueues: string;
  readonly poolId: string;
  /** Number of sessions that wait and whose events the webhook receives. */
  readonly waiting: number;
  readonly isLong: boolean;
}

/** A change of the long queues of a webhook. */
export interface QueueChange {
  readonly webhookId: string;
  /** JSON lists of pools. */
  readonly before: string;
  readonly after: string;
  /** The queues that have become long. */
  readonly added: readonly {
    readonly id: string;
    readonly poolId: string;
    readonly waiting: number;
  }[];
}

/** Reads the queues of the pools that webhooks watch. One round trip, of one empty index without such webhooks. */
export async function readQueues(
  db: Database,
  now: number,
): Promise<readonly WatchedQueue[]> {
  const rows = await selectQueues(db, { now }).queues;
  return rows.map((row) => ({ ...row, isLong: Boolean(row.isLong) }));
}

/**
 * Stores the long queues of webhooks, unless another server did, with a delivery for each that has become long. Returns
 * the number of deliveries. One round trip.
 */
export async function storeQueues(
  db: Database,
  changes: readonly QueueChange[],
  now: number,
): Promise<number> {
  const { inserted } = await batchNamed(
    db.orm,
    storeChanges(db, { changes: JSON.stringify(changes), now }),
  );
  return inserted.rowsAffected;
}

const selectQueues = prepare((
  { orm },
  bind: Bind<{ readonly now: number }>,
) => ({
  queues: orm.all<Omit<WatchedQueue, "isLong"> & { readonly isLong: number }>(
    sql`SELECT *, waiting > "longerThan" AS "isLong" FROM (
      SELECT hook.id AS "webhookId", hook.long_queues AS "longQueues",
        hook.queue_longer_than AS "longerThan", p.id AS "poolId",
        (SELECT count(*) FROM ${sessions} AS s WHERE s.work_pool_id = p.id
          AND s.status = 'pending' AND ${receivesFrom(sql`s`, bind("now"))})
          AS waiting
      FROM ${queueHooks} CROSS JOIN ${workPools} AS p
      WHERE hook.work_pool_id IS NULL OR hook.work_pool_id = p.id)`,
  ),
}));

const storeChanges = prepare((
  { orm },
  bind: Bind<{ readonly changes: string; readonly now: number }>,
) => {
  const now = bind("now");
  const id = sql`'queue_' || (added.value ->> 'id')`;
  const isUnchanged = sql`long_queues = change.value ->> 'before'`;
  return {
    inserted: orm.run(sql`INSERT INTO ${webhookDeliveries}
        (webhook_id, message_id, type, subject, data, timestamp, status,
        attempts, due_at)
      SELECT hook.id, ${id}, ${QUEUE_LONG}, p.id,
        json_object('pool', json_object('id', p.id, 'name', p.name),
          'event', json_object('id', ${id}, 'data', json_object(
            'waiting', added.value ->> 'waiting',
            'queue_longer_than', hook.queue_longer_than))),
        ${now}, 'pending', 0,
        iif(EXISTS (SELECT 1 FROM ${webhookDeliveries} AS d
          WHERE d.webhook_id = hook.id AND d.subject = p.id
          AND d.ended_at IS NULL), NULL, ${now})
      FROM json_each(${bind("changes")}) AS change
      CROSS JOIN ${queueHooks} ON hook.id = change.value ->> 'webhookId'
      CROSS JOIN json_each(change.value, '$.added') AS added
      CROSS JOIN ${workPools} AS p ON p.id = added.value ->> 'poolId'
      WHERE hook.${isUnchanged}`),
    stored: orm.run(sql`UPDATE ${webhooks}
      SET long_queues = change.value ->> 'after'
      FROM json_each(${bind("changes")}) AS change
      WHERE ${webhooks}.id = change.value ->> 'webhookId' AND ${isUnchanged}`),
  };
});
