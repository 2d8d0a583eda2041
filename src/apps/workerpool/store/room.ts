import { type SQL, sql } from "drizzle-orm";
import { sessions } from "../../sessions/models.ts";
import { workers } from "../../workers/models.ts";
import { workPools } from "../models.ts";

/**
 * Counts the sessions that the pool of the outer `work_pools` could start at once: as many as a claim would assign to
 * its workers, within the pool's own limit. Never negative.
 */
// Columns are written with their table, because Drizzle drops the tables' names among selected fields.
export function countPoolRoom(): SQL<number> {
  const held = sql.raw("IN ('starting', 'running')");
  const ofWorkers = sql`(SELECT coalesce(sum(max(0,
      min(w.capacity, coalesce(${workPools}.max_sessions_per_worker, w.capacity))
      - (SELECT count(*) FROM ${sessions} AS h
          WHERE h.worker_id = w.id AND h.status ${held}))), 0)
    FROM ${workers} AS w WHERE w.work_pool_id = ${workPools}.id
    AND w.status IN ('online', 'busy') AND w.drain_requested_at IS NULL)`;
  const ofPool = sql`${workPools}.max_sessions - (SELECT count(*)
    FROM ${sessions} AS h
    WHERE h.work_pool_id = ${workPools}.id AND h.status ${held})`;
  return sql<number>`iif(${workPools}.max_sessions IS NULL, ${ofWorkers},
    max(0, min(${ofWorkers}, ${ofPool})))`;
}
