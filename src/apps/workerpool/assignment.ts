import {
  argumentNotAllowed,
  browserNotAvailable,
  browserNotSupported,
  noMatchingPool,
  poolPaused,
  queueFull,
} from "./assignment_problems.ts";
import {
  canStart,
  findRejectedBy,
  type PoolCandidate,
  type SessionRequest,
} from "./candidate.ts";
import type { Pool } from "./pool.ts";

/**
 * Returns the best pool for a session among `candidates`, which are all pools, or the requested one.
 *
 * Among the pools that can start the session, one with room comes first, then one whose defaults match better, then
 * one with a higher priority, then one with a shorter queue, then the oldest.
 *
 * @throws {GridError} `pool_not_found`, `no_matching_pool`, `pool_paused`, `browser_not_available` (with the available
 * browsers), `argument_not_allowed` (with the allowed arguments), `queue_full`.
 */
export function assignPool(
  request: SessionRequest,
  candidates: readonly PoolCandidate[],
): PoolCandidate {
  if (candidates.length === 0) throw noMatchingPool(request);
  const active = candidates.filter(({ pool }) => pool.status === "active");
  if (active.length === 0) throw poolPaused(candidates);
  const able = active.filter((each) => canStart(request, each));
  if (able.length === 0) throw browserNotAvailable(request, active);
  const supporting = able.filter((each) =>
    each.unsupported?.(request) === undefined
  );
  if (supporting.length === 0) throw browserNotSupported(request, able);
  const allowing = supporting.filter((each) =>
    findRejectedBy(each, request).length === 0
  );
  if (allowing.length === 0) throw argumentNotAllowed(request, supporting);
  const open = allowing.filter(hasQueueRoom);
  if (open.length === 0) throw queueFull(allowing);
  const [best = open[0]] = [...open].sort((a, b) => compare(request, a, b));
  if (best === undefined) throw noMatchingPool(request);
  return best;
}

/** Sessions that could start at once do not count as waiting: `max_queue` is in addition to the room. */
function hasQueueRoom({ pool, pending, room }: PoolCandidate): boolean {
  return pool.maxQueue === null || pending < pool.maxQueue + room;
}

/** Returns a negative number if `a` is better. */
function compare(
  request: SessionRequest,
  a: PoolCandidate,
  b: PoolCandidate,
): number {
  return Number(b.room > b.pending) - Number(a.room > a.pending) ||
    scoreLikeness(request, b.pool) - scoreLikeness(request, a.pool) ||
    b.pool.priority - a.pool.priority ||
    a.pending - b.pending ||
    (a.pool.id < b.pool.id ? -1 : 1);
}

/** Returns the number of pool defaults that equal the requested values, minus the number of those that differ. */
function scoreLikeness(request: SessionRequest, pool: Pool): number {
  const pairs = [
    [request.browser, pool.defaultBrowser],
    [request.version, pool.defaultBrowserVersion],
    [request.headless, pool.defaultHeadless],
    [request.operating_system, pool.defaultOperatingSystem],
  ];
  return pairs.reduce((sum, [requested, preset]) => {
    if (requested === undefined || preset === null) return sum;
    return sum + (requested === preset ? 1 : -1);
  }, 0);
}
