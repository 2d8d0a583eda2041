/**
 * Selects the sessions of a claim: highest priority first; within a priority those whose owner holds the fewest in the
 * pool, including those that this claim assigns; then the oldest. An owner whose key has reached its `max_sessions` is
 * skipped.
 *
 * ```text
 * index:  pool, pending | priority 5 | ann  s1 s4 s5 ...      probe --> s1 -> next owner -> next priority
 *                       |            | bob  s2                |
 *                       | priority 0 | ann  s3 ...              +> candidate s1 -> s4 -> s5
 * ```
 *
 * The recursion is a priority queue. A probe stands for an owner within a priority; it sorts before the candidates of
 * its priority, so that all owners are known before one is served, and a lower priority is read only when needed. The
 * cost grows with the number of owners and of claimed sessions, never with the length of the queue.
 *
 * @module
 * @see {@link https://www.sqlite.org/lang_with.html#controlling_depth_first_versus_breadth_first_search_of_a_tree_using_order_by}
 */
import { type SQL, sql } from "drizzle-orm";
import { apiKeys } from "../../../keys/models.ts";
import { machines } from "../../../scaling/models.ts";
import { workPools } from "../../../workerpool/models.ts";
import { workers } from "../../../workers/models.ts";
import { sessions } from "../../models.ts";

const HELD = sql.raw("('starting', 'running')");

/** Represents "no limit". */
const NO_LIMIT = sql.raw("1000000000");

/**
 * Returns SQL for the ids of the sessions that the worker receives.
 *
 * @param isProven Condition that the caller is that worker.
 */
export function nextSessions(
  { workerId, count }: { readonly workerId: SQL; readonly count: SQL },
  isProven: SQL,
): SQL {
  return sql`(WITH RECURSIVE scope(pool, room) AS (
    SELECT p.id, ${roomFor(count)}
    FROM ${workers} AS w JOIN ${workPools} AS p ON p.id = w.work_pool_id
    WHERE w.id = ${workerId} AND w.status IN ('online', 'busy')
    AND w.drain_requested_at IS NULL AND ${isProven} AND p.status = 'active'
    AND ${keepsMachine()}
  ), queue(is_candidate, priority, owner, id, taken, held, allowed) AS (
    SELECT 0, s.priority, s.owner, s.id, 0, 0, 0
    FROM scope CROSS JOIN ${sessions} AS s
    WHERE scope.room > 0 AND s.id = ${first(sql``)}
    UNION ALL
    SELECT 0, s.priority, s.owner, s.id, 0, 0, 0
    FROM queue AS q CROSS JOIN ${sessions} AS s
    WHERE q.is_candidate = 0 AND s.id = coalesce(
      ${first(sql`AND n.priority = q.priority AND n.owner > q.owner`)},
      ${first(sql`AND n.priority < q.priority`)})
    UNION ALL
    SELECT 1, q.priority, q.owner, q.id, 0, ${heldInPool(sql`q.owner`)},
      ${countKeyRoom(sql`q.owner`)}
    FROM queue AS q
    WHERE q.is_candidate = 0 AND ${countKeyRoom(sql`q.owner`)} > 0
    UNION ALL
    SELECT 1, q.priority, q.owner, s.id, q.taken + 1, q.held + 1, q.allowed
    FROM queue AS q CROSS JOIN ${sessions} AS s
    WHERE q.is_candidate = 1 AND q.taken + 1 < q.allowed AND s.id = ${
    first(
      sql`AND n.priority = q.priority AND n.owner = q.owner AND n.id > q.id`,
    )
  }
    ORDER BY 2 DESC, 1, 6, 4
  ), assigned(owner, id, allowed, priority, held) AS (
    SELECT owner, id, allowed, priority, held FROM queue
    WHERE is_candidate = 1 LIMIT coalesce((SELECT room FROM scope), 0)
  ) SELECT id FROM assigned WHERE allowed > (
    -- One owner may be served in several priorities. No window: under one SQLite leaves out the order above.
    SELECT count(*) FROM assigned AS g WHERE g.owner = assigned.owner
    AND (g.priority > assigned.priority
      OR g.priority = assigned.priority AND g.held < assigned.held)))`;
}

/** Returns the number of sessions that the worker may claim now. Never negative, which would mean no limit. */
function roomFor(count: SQL): SQL {
  return sql`max(0, min(${count}, ${countWorkerRoom()}, ${
    countHeldRoom(count)
  }))`;
}

/**
 * Returns the condition that the machine of worker `w`, if it has one, is not being removed: a drain can be withdrawn,
 * and a new process of the worker has none.
 */
export function keepsMachine(): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM ${machines} AS m
    WHERE m.worker_id = w.id AND m.status = 'removing')`;
}

/** Returns the number of further sessions that worker `w` of pool `p` may hold by its own limits. */
export function countWorkerRoom(): SQL<number> {
  return sql<number>`(min(w.capacity,
      coalesce(p.max_sessions_per_worker, w.capacity))
    - (SELECT count(*) FROM ${sessions} AS h
      WHERE h.worker_id = w.id AND h.status IN ${HELD}))`;
}

/**
 * Returns the number of further sessions that pool `p` may hold.
 *
 * @param unlimited Result for a pool without a limit, whose sessions are not counted.
 */
export function countHeldRoom(unlimited: SQL): SQL<number> {
  return sql<number>`iif(p.max_sessions IS NULL, ${unlimited},
    p.max_sessions - (SELECT count(*) FROM ${sessions} AS h
      WHERE h.work_pool_id = p.id AND h.status IN ${HELD}))`;
}

/** Returns the id of the first pending session of the pool that meets `condition`, in index order. */
function first(condition: SQL): SQL {
  return sql`(SELECT n.id FROM ${sessions} AS n
    WHERE n.work_pool_id = (SELECT pool FROM scope) AND n.status = 'pending'
    ${condition} ORDER BY n.priority DESC, n.owner, n.id LIMIT 1)`;
}

function heldInPool(owner: SQL): SQL {
  return sql`(SELECT count(*) FROM ${sessions} AS h INDEXED BY sessions_held
    WHERE h.owner = ${owner} AND h.status IN ${HELD}
    AND h.work_pool_id = (SELECT pool FROM scope))`;
}

/** Returns the number of further sessions that the owner's key may hold. */
export function countKeyRoom(owner: SQL): SQL {
  return sql`coalesce((SELECT k.max_sessions - (
      SELECT count(*) FROM ${sessions} AS h
      WHERE h.owner = k.id AND h.status IN ${HELD})
    FROM ${apiKeys} AS k
    WHERE k.id = ${owner} AND k.max_sessions IS NOT NULL), ${NO_LIMIT})`;
}
