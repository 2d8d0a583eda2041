import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { sessions } from "../../sessions/models.ts";
import { workPools } from "../../workerpool/models.ts";
import {
  browserHooks,
  receivesFrom,
  webhookDeliveries,
  webhooks,
} from "../models.ts";
import type { BrowserEvents } from "../schemas/browser_events.ts";

/** Maximum number of deliveries of one webhook and session that wait. More browser events are dropped. */
export const MAX_WAITING = 500;

/** The values of the statements. */
interface EventValues {
  readonly workerId: string;
  /** JSON list. */
  readonly events: string;
  /** JSON list. */
  readonly dropped: string;
  readonly now: number;
}

/**
 * Inserts deliveries of the browser events that a webhook receives from sessions of the worker, and counts those that were
 * dropped. Returns the number of deliveries. One round trip.
 */
export async function insertBrowserEvents(
  db: Database,
  { workerId, events, dropped, now }: Pick<EventValues, "workerId" | "now"> & {
    readonly events: BrowserEvents["events"];
    readonly dropped: BrowserEvents["dropped"];
  },
): Promise<number> {
  const { inserted } = await batchNamed(
    db.orm,
    insertEvents(db, {
      workerId,
      events: JSON.stringify(events),
      dropped: JSON.stringify(dropped),
      now,
    }),
  );
  return inserted.rowsAffected;
}

/** Returns the source of the items of a list that a webhook receives from sessions of the worker: `item`, `hook`, `s`. */
function selectReceived(list: SQL, bind: Bind<EventValues>): SQL {
  return sql`FROM json_each(${list}) AS item
    CROSS JOIN ${browserHooks} ON hook.id = item.value ->> 'webhook_id'
    CROSS JOIN ${sessions} AS s ON s.id = item.value ->> 'session_id'
    WHERE s.worker_id = ${bind("workerId")}
      AND s.fencing_token = item.value ->> 'fencing_token'
      AND ${receivesFrom(sql`s`, bind("now"))}`;
}

const messageId = sql`'cdp_' || (item.value ->> 'id')`;

const isSelected = sql`instr(',' || hook.event_pattern || ',',
  ',cdp:' || (item.value ->> 'method') || ',') > 0`;

const isKnown = sql`EXISTS (SELECT 1 FROM ${webhookDeliveries} AS d
  WHERE d.webhook_id = hook.id AND d.message_id = ${messageId}
  AND d.event_sequence IS NULL)`;

const countWaiting = sql`(SELECT count(*) FROM (
  SELECT 1 FROM ${webhookDeliveries} AS d WHERE d.webhook_id = hook.id
  AND d.subject = s.id AND d.ended_at IS NULL
  LIMIT ${sql.raw(String(MAX_WAITING))}))`;

const envelope = sql`json_object(
  'session', json_object('id', s.id, 'status', s.status, 'pool', p.name,
    'labels', json(s.labels), 'reason', s.status_reason),
  'target', json(item.value -> 'target'),
  'event', json_object('id', ${messageId},
    'method', item.value ->> 'method', 'params', json(item.value -> 'params'),
    'truncated', json(item.value -> 'truncated'),
    'dropped', item.value ->> 'dropped'))`;

const insertEvents = prepare(({ orm }, bind: Bind<EventValues>) => {
  const events = selectReceived(bind("events"), bind);
  const now = bind("now");
  return {
    // Of the deliveries of one session, only the first is due.
    inserted: orm.run(sql`INSERT OR IGNORE INTO ${webhookDeliveries}
        (webhook_id, message_id, type, subject, data, timestamp, status,
        attempts, due_at)
      SELECT webhook_id, message_id, type, subject, data, timestamp, 'pending',
        0, iif(place = 1 AND waiting = 0, ${now}, NULL)
      FROM (SELECT hook.id AS webhook_id, ${messageId} AS message_id,
          'cdp:' || (item.value ->> 'method') AS type, s.id AS subject,
          (SELECT ${envelope} FROM ${workPools} AS p
            WHERE p.id = s.work_pool_id) AS data,
          CAST(${now} - (item.value ->> 'age_ms') AS INTEGER) AS timestamp,
          row_number() OVER (PARTITION BY hook.id, s.id ORDER BY item.key)
            AS place,
          ${countWaiting} AS waiting, item.key AS position
        ${events} AND ${isSelected} AND NOT ${isKnown})
      WHERE place + waiting <= ${sql.raw(String(MAX_WAITING))}
        AND data IS NOT NULL
      ORDER BY position`),
    counted: orm.run(sql`UPDATE ${webhooks}
      SET dropped_events = dropped_events + chosen.count
      FROM (SELECT id, sum(count) AS count FROM (
          SELECT hook.id AS id, item.value ->> 'count' AS count
            ${selectReceived(bind("dropped"), bind)}
          UNION ALL
          SELECT hook.id, 1 ${events} AND ${isSelected} AND NOT ${isKnown})
        GROUP BY id HAVING sum(count) > 0) AS chosen
      WHERE ${webhooks}.id = chosen.id`),
  };
});
