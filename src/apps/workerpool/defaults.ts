import type {
  Browser,
  OperatingSystem,
  Proxy,
  ResourceLimits,
  Screen,
} from "../../core/browser_spec.ts";
import type { EgressPolicy } from "../../core/egress.ts";
import { screenSchema } from "../../core/browser_spec.ts";
import { GridError } from "../../core/errors.ts";
import type { SessionRequest } from "./candidate.ts";
import type { Pool } from "./pool.ts";

/** A session with every default applied. Contains secrets. */
export interface ResolvedSession {
  readonly browser: Browser;
  readonly version: string;
  readonly headless: boolean;
  readonly operatingSystem: OperatingSystem;
  readonly screen: Screen;
  readonly proxy: Proxy | null;
  readonly resourceLimits: ResourceLimits & {
    readonly timeout_minutes: number;
  };
  readonly environment: Readonly<Record<string, string>>;
}

/** Values that apply if neither the session nor its pool has one. */
export interface GridDefaults {
  readonly browser: Browser;
  readonly operatingSystem: OperatingSystem;
  readonly timeoutMinutes: number;
}

/**
 * Applies the defaults of a pool to a session. Limits and environment are merged member by member; any other value of
 * the session replaces the pool's.
 *
 * @throws {GridError} `invalid_request` - the session requests a longer lifetime than the pool allows.
 */
export function applyPoolDefaults(
  request: SessionRequest,
  pool: Pool,
  defaults: GridDefaults,
): ResolvedSession {
  return {
    browser: request.browser ?? pool.defaultBrowser ?? defaults.browser,
    version: request.version ?? pool.defaultBrowserVersion ?? "latest",
    headless: request.headless ?? pool.defaultHeadless ?? true,
    operatingSystem: request.operating_system ??
      pool.defaultOperatingSystem ?? defaults.operatingSystem,
    screen: request.screen ?? pool.defaultScreen ?? screenSchema.parse({}),
    proxy: request.proxy ?? pool.defaultProxy,
    resourceLimits: {
      ...pool.defaultResourceLimits,
      ...request.resource_limits,
      timeout_minutes: resolveTimeoutMinutes(request, pool, defaults),
    },
    environment: { ...pool.defaultEnvironment, ...request.environment },
  };
}

/** A requested lifetime must not exceed the pool's maximum; a default is limited to it. */
function resolveTimeoutMinutes(
  request: SessionRequest,
  pool: Pool,
  defaults: GridDefaults,
): number {
  const max = pool.maxTimeoutMinutes ?? Infinity;
  const requested = request.resource_limits?.timeout_minutes;
  if (requested !== undefined && requested > max) {
    throw new GridError(
      "invalid_request",
      `Cannot give the session ${requested} minutes: work pool "${pool.name}" allows fewer, expected resource_limits.timeout_minutes of at most ${max}`,
    );
  }
  const preset = pool.defaultResourceLimits?.timeout_minutes ??
    defaults.timeoutMinutes;
  return requested ?? Math.min(preset, max);
}

/** Returns the egress policy of a session of `pool`. @param isolated True if the session belongs to a client key. */
export function resolveEgressPolicy(
  pool: Pick<Pool, "name" | "egress" | "egressAllow">,
  isolated: boolean,
): { mode: EgressPolicy["mode"]; allow: string[]; pool: string } {
  const auto = isolated ? "no_private" : "open";
  return {
    mode: pool.egress === "auto" ? auto : pool.egress,
    allow: [...pool.egressAllow],
    pool: pool.name,
  };
}
