import {
  resolveEgressPolicy,
  type WorkPoolManager,
} from "../workerpool/manager.ts";
import type { ReadyBrowsers } from "./schemas.ts";
import type { ShareRow } from "./store/ready.ts";

/** What a worker is to keep ready; undefined: nothing. Has the secrets of the pool's defaults. */
export function renderReadyBrowsers(
  row: ShareRow,
  session: Awaited<ReturnType<WorkPoolManager["resolveDefaultSession"]>>,
): ReadyBrowsers | undefined {
  const count = computeShare(row);
  if (!session || count === 0) return undefined;
  return {
    count,
    max_age_ms: Math.ceil(row.pool.readyMaxAgeMinutes * 60_000),
    browser: session.browser,
    version: session.version,
    headless: session.headless,
    screen: session.screen,
    proxy: session.proxy,
    resource_limits: session.resourceLimits,
    environment: { ...session.environment },
    arguments: [],
    isolated: row.isolated,
    egress: resolveEgressPolicy(row.pool, row.isolated),
  };
}

/** The worker's part of the pool's `min_ready`, which is dealt out by turns; what could never be used is not kept. */
export function computeShare(
  { pool, capacity, sharers, before }: ShareRow,
): number {
  const { minReady, maxSessions, maxSessionsPerWorker } = pool;
  const wanted = Math.min(minReady, maxSessions ?? Infinity);
  const share = Math.floor(wanted / sharers) +
    (before < wanted % sharers ? 1 : 0);
  return Math.min(share, capacity, maxSessionsPerWorker ?? Infinity);
}
