import {
  type Proxy,
  type ResourceLimits,
  type Screen,
  withoutPassword,
} from "../../core/browser_spec.ts";
import type { Role } from "../../core/caller.ts";
import type { workPools } from "./models.ts";
import type { PoolInput, PoolWire } from "./schemas.ts";

/** A work pool. `defaultProxy` and `defaultEnvironment` are secret: {@linkcode renderPool} leaves them out. */
export type Pool = Readonly<typeof workPools.$inferSelect>;

/** What a pool's row is written from. */
export type PoolFields = Omit<Pool, "id" | "createdAt" | "updatedAt">;

/** Row values of an input. */
export function toPoolFields(input: PoolInput): PoolFields {
  return {
    name: input.name,
    description: input.description,
    providerType: input.provider_type,
    providerConfig: input.provider_config,
    status: input.status,
    priority: input.priority,
    defaultBrowser: input.default_browser,
    defaultBrowserVersion: input.default_browser_version,
    defaultHeadless: input.default_headless,
    defaultOperatingSystem: input.default_operating_system,
    defaultScreen: input.default_screen satisfies Screen | null,
    defaultProxy: input.default_proxy satisfies Proxy | null,
    defaultResourceLimits: input.default_resource_limits satisfies
      | ResourceLimits
      | null,
    defaultEnvironment: input.default_environment,
    maxSessions: input.max_sessions,
    minWorkers: input.min_workers,
    maxWorkers: input.max_workers,
    maxSessionsPerWorker: input.max_sessions_per_worker,
    minReady: input.min_ready,
    readyMaxAgeMinutes: input.ready_max_age_minutes,
    allowedArguments: input.allowed_arguments,
    egress: input.egress,
    egressAllow: input.egress_allow,
    maxQueue: input.max_queue,
    maxTimeoutMinutes: input.max_timeout_minutes,
  };
}

/** The input that would make `pool`: what a partial change is laid over. */
export function toPoolInput(pool: Pool): PoolInput {
  return {
    name: pool.name,
    description: pool.description,
    provider_type: pool.providerType,
    provider_config: pool.providerConfig,
    status: pool.status,
    priority: pool.priority,
    default_browser: pool.defaultBrowser,
    default_browser_version: pool.defaultBrowserVersion,
    default_headless: pool.defaultHeadless,
    default_operating_system: pool.defaultOperatingSystem,
    default_screen: pool.defaultScreen,
    default_proxy: pool.defaultProxy,
    default_resource_limits: pool.defaultResourceLimits,
    default_environment: pool.defaultEnvironment,
    max_sessions: pool.maxSessions,
    min_workers: pool.minWorkers,
    max_workers: pool.maxWorkers,
    max_sessions_per_worker: pool.maxSessionsPerWorker,
    min_ready: pool.minReady,
    ready_max_age_minutes: pool.readyMaxAgeMinutes,
    allowed_arguments: pool.allowedArguments && [...pool.allowedArguments],
    egress: pool.egress,
    egress_allow: [...pool.egressAllow],
    max_queue: pool.maxQueue,
    max_timeout_minutes: pool.maxTimeoutMinutes,
  };
}

/** A pool as `role` is answered it, without its secrets: what its provider is told may be one, to all but admins. */
export function renderPool(pool: Pool, role: Role): PoolWire {
  const { default_proxy, default_environment, ...shown } = toPoolInput(pool);
  return {
    ...shown,
    provider_config: role === "admin" ? shown.provider_config : {},
    id: pool.id,
    default_proxy: default_proxy && withoutPassword(default_proxy),
    default_environment: default_environment &&
      Object.keys(default_environment),
    created_at: new Date(pool.createdAt).toISOString(),
    updated_at: new Date(pool.updatedAt).toISOString(),
  };
}
