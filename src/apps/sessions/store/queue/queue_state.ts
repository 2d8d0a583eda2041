import { type SQL, sql } from "drizzle-orm";
import { machines, scaledPools } from "../../../scaling/models.ts";
import { countPoolRoom, workPools } from "../../../workerpool/models.ts";
import { workers } from "../../../workers/models.ts";
import { sessions } from "../../models.ts";
import { countKeyRoom } from "./next.ts";
import { MAX_COUNTED, type QueueState } from "../../queue_state.ts";

/**
 * Returns a column with the state that a pending session waits in, for a row of `sessions`; null for any other session.
 * The cost is bounded: at most {@linkcode MAX_COUNTED} sessions of the queue are read.
 *
 * @param options `isInList` leaves out the counts, which are made for single sessions only.
 */
export function queueStateColumn(
  { isInList = false }: { readonly isInList?: boolean } = {},
): SQL<QueueState | null> {
  const counted = isInList ? sql`` : sql`, 'room', ${countPoolRoom()},
    'ahead', (SELECT count(*) FROM ${queued()} AS q
      WHERE q.priority > ${sessions}.priority
      OR q.priority = ${sessions}.priority AND q.id < ${sessions}.id),
    'counted', (SELECT count(*) FROM ${queued()})`;
  return sql`CASE WHEN ${sessions}.status = 'pending' THEN (SELECT json_object(
      'pool', ${workPools}.name, 'status', ${workPools}.status,
      'maxSessions', ${workPools}.max_sessions,
      'isWorkerOnline', EXISTS (SELECT 1
        FROM ${workers} AS w INDEXED BY workers_pool
        WHERE w.work_pool_id = ${workPools}.id
        AND w.status IN ('online', 'busy') AND w.drain_requested_at IS NULL),
      'machinesStarting', (SELECT count(*) FROM ${machines} AS m
        WHERE m.pool_id = ${workPools}.id
        AND m.status IN ('requested', 'starting')),
      'hasMachineFailed', EXISTS (SELECT 1 FROM ${scaledPools} AS p
        WHERE p.pool_id = ${workPools}.id AND p.failures > 0),
      'keyRoom', ${countKeyRoom(sql`${sessions}.owner`)},
      'poolRoom', iif(${workPools}.max_sessions IS NULL, NULL,
        ${workPools}.max_sessions - (SELECT count(*) FROM ${sessions} AS h
          WHERE h.work_pool_id = ${workPools}.id
          AND h.status IN ('starting', 'running')))${counted})
    FROM ${workPools} WHERE ${workPools}.id = ${sessions}.work_pool_id) END`
    .mapWith((text: string | null): QueueState | null =>
      text === null ? null : JSON.parse(text)
    );
}

/** Returns SQL for the first sessions of the pool's queue, in index order. */
function queued(): SQL {
  return sql`(SELECT n.priority, n.id FROM ${sessions} AS n
    WHERE n.work_pool_id = ${workPools}.id AND n.status = 'pending'
    ORDER BY n.priority DESC, n.owner, n.id LIMIT ${
    sql.raw(String(MAX_COUNTED))
  })`;
}
