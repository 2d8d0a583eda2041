import type {
  Browser,
  OperatingSystem,
  Proxy,
  ResourceLimits,
  Screen,
} from "../../core/browser_spec.ts";
import type { BrowserChoice } from "../../core/provider.ts";
import { findRejectedArguments } from "./allowed_arguments.ts";
import type { Pool } from "./pool.ts";

/** The values of a session that decide which pool can start it. The pool supplies absent ones. */
export interface SessionRequest {
  readonly browser?: Browser | undefined;
  readonly version?: string | undefined;
  readonly headless?: boolean | undefined;
  readonly operating_system?: OperatingSystem | undefined;
  readonly screen?: Screen | undefined;
  readonly proxy?: Proxy | undefined;
  readonly resource_limits?: ResourceLimits | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly arguments?: readonly string[] | undefined;
  readonly work_pool_id?: string | undefined;
}

/** A pool and the browsers that its provider can start. */
export interface StartablePool {
  readonly pool: Pool;
  readonly choices: readonly BrowserChoice[];
  /** Operating systems of the workers' hosts; absent if they were not read. */
  readonly systems?: readonly OperatingSystem[] | undefined;
}

/** A pool that a session may be assigned to. */
export interface PoolCandidate extends StartablePool {
  readonly pending: number;
  /** Number of sessions that its online workers could still hold. */
  readonly room: number;
  /** Returns why the pool cannot start a session, for reasons other than `choices`; undefined if it can. */
  readonly unsupported?:
    | ((request: SessionRequest) => string | undefined)
    | undefined;
}

/** Reports whether the pool's provider can start the session with the pool's defaults applied. */
export function canStart(
  request: SessionRequest,
  pool: StartablePool,
): boolean {
  return findStartable(request, pool).length > 0;
}

/** Returns the pool's choices that match the session with the pool's defaults applied. */
export function findStartable(
  request: SessionRequest,
  { pool, choices, systems }: StartablePool,
): readonly BrowserChoice[] {
  const browser = request.browser ?? pool.defaultBrowser;
  const version = request.version ?? pool.defaultBrowserVersion ?? "latest";
  const system = request.operating_system ?? pool.defaultOperatingSystem;
  return choices.filter((choice) => {
    const { operatingSystems = systems } = choice;
    return (browser === null || choice.browser === browser) &&
      (choice.versions.includes(version) ||
        choice.versions.includes("*") && /^\d/.test(version)) &&
      (system === null || (operatingSystems?.includes(system) ?? true));
  });
}

/** Returns the names of the session's arguments that the pool does not allow. */
export function findRejectedBy(
  { pool }: Pick<StartablePool, "pool">,
  request: SessionRequest,
): readonly string[] {
  return findRejectedArguments(request.arguments ?? [], pool.allowedArguments);
}
