import type {
  Browser,
  OperatingSystem,
  Proxy,
  ResourceLimits,
  Screen,
} from "../../core/browser_spec.ts";
import { screenSchema } from "../../core/browser_spec.ts";
import { GridError } from "../../core/errors.ts";
import type { SessionRequest } from "./assignment.ts";
import type { Pool } from "./pool.ts";

/** A session with every default filled in. Has secrets. */
export interface ResolvedSession {
  readonly browser: Browser;
  readonly version: string;
  readonly headless: boolean;
  readonly operatingSystem: OperatingSystem;
  readonly screen: Screen;
  readonly proxy: Proxy | null;
  /** `timeout_minutes` is always there. */
  readonly resourceLimits: ResourceLimits & {
    readonly timeout_minutes: number;
  };
  readonly environment: Readonly<Record<string, string>>;
}

/** What holds where neither session nor pool says anything. */
export interface GridDefaults {
  readonly browser: Browser;
  readonly operatingSystem: OperatingSystem;
  readonly timeoutMinutes: number;
}

/**
 * Lays a session over its pool's defaults. Limits and environment are merged name by name, the rest is taken whole.
 *
 * @throws {GridError} `invalid_request` — when the session asks for a longer life than the pool allows.
 */
export function applyPoolDefaults(
  want: SessionRequest,
  pool: Pool,
  defaults: GridDefaults,
): ResolvedSession {
  return {
    browser: want.browser ?? pool.defaultBrowser ?? defaults.browser,
    version: want.version ?? pool.defaultBrowserVersion ?? "latest",
    headless: want.headless ?? pool.defaultHeadless ?? true,
    operatingSystem: want.operating_system ?? pool.defaultOperatingSystem ??
      defaults.operatingSystem,
    screen: want.screen ?? pool.defaultScreen ?? screenSchema.parse({}),
    proxy: want.proxy ?? pool.defaultProxy,
    resourceLimits: {
      ...pool.defaultResourceLimits,
      ...want.resource_limits,
      timeout_minutes: resolveTimeoutMinutes(want, pool, defaults),
    },
    environment: { ...pool.defaultEnvironment, ...want.environment },
  };
}

/** What is asked for must fit; a default is cut to what the pool allows. */
function resolveTimeoutMinutes(
  want: SessionRequest,
  pool: Pool,
  defaults: GridDefaults,
): number {
  const most = pool.maxTimeoutMinutes ?? Infinity;
  const asked = want.resource_limits?.timeout_minutes;
  if (asked !== undefined && asked > most) {
    throw new GridError(
      "invalid_request",
      `Cannot give the session ${asked} minutes: work pool "${pool.name}" allows fewer, expected resource_limits.timeout_minutes of at most ${most}`,
    );
  }
  const fallback = pool.defaultResourceLimits?.timeout_minutes ??
    defaults.timeoutMinutes;
  return asked ?? Math.min(fallback, most);
}
