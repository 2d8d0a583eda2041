import {
  resolveEgressPolicy,
  type WorkPoolManager,
} from "../workerpool/manager.ts";
import type { ReadyBrowsers } from "./schemas/service.ts";
import type { ReadyShareRow } from "./store/ready_share.ts";

/**
 * Returns the browsers that a worker must keep ready; undefined if none. Contains the secrets of the pool's defaults.
 *
 * @param session The session that an empty request resolves to in the pool; undefined if its provider starts none.
 */
export function renderReadyBrowsers(
  share: ReadyShareRow,
  session: Awaited<ReturnType<WorkPoolManager["resolveDefaultSession"]>>,
): ReadyBrowsers | undefined {
  const { pool, isolated } = share;
  const count = computeShare(share);
  if (!session || count === 0) return undefined;
  return {
    count,
    max_age_ms: Math.ceil(pool.readyMaxAgeMinutes * 60_000),
    browser: session.browser,
    version: session.version,
    headless: session.headless,
    screen: session.screen,
    proxy: session.proxy,
    resource_limits: session.resourceLimits,
    environment: { ...session.environment },
    arguments: [],
    isolated,
    egress: resolveEgressPolicy(pool, isolated),
  };
}

/** Returns the worker's share of the pool's `min_ready`, at most as many browsers as it could use. */
export function computeShare(
  { pool, capacity, sharers, before }: Omit<ReadyShareRow, "isolated">,
): number {
  const { minReady, maxSessions, maxSessionsPerWorker } = pool;
  const total = Math.min(minReady, maxSessions ?? Infinity);
  const share = Math.floor(total / sharers) +
    (before < total % sharers ? 1 : 0);
  return Math.min(share, capacity, maxSessionsPerWorker ?? Infinity);
}
