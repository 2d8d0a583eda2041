import type { BrowserChoice } from "../../core/provider.ts";
import type {
  Browser,
  OperatingSystem,
  Proxy,
  ResourceLimits,
  Screen,
} from "../../core/browser_spec.ts";
import { GridError } from "../../core/errors.ts";
import {
  findForbiddenReason,
  findRejectedArguments,
  HARMLESS_ARGUMENTS,
} from "./allowed_arguments.ts";
import type { Pool } from "./pool.ts";
import { poolProblems } from "./problems.ts";

/** What a session asks for; what is absent comes from the pool. */
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

/** A pool with how loaded it is and what its provider can start. */
export interface PoolCandidate {
  readonly pool: Pool;
  readonly pending: number;
  /** Sessions that its online workers could still take. */
  readonly room: number;
  readonly choices: readonly BrowserChoice[];
  /** Operating systems of the workers' hosts; absent if they were not read. */
  readonly systems?: readonly OperatingSystem[] | undefined;
  /** Returns why the pool cannot start the resolved session, for reasons other than `choices`; undefined if it can. */
  readonly unsupported?:
    | ((want: SessionRequest) => string | undefined)
    | undefined;
}

/**
 * Picks the pool for `want` among `candidates`, which are all pools, or the one that was named.
 *
 * Of several that can start it as it is asked for: one with room, then more of its defaults alike, higher priority, shorter queue, older.
 *
 * @throws {GridError} `pool_not_found`, `no_matching_pool`, `pool_paused`, `browser_not_available` (with what is), `argument_not_allowed` (with what is allowed), `queue_full`.
 */
export function assignPool(
  want: SessionRequest,
  candidates: readonly PoolCandidate[],
): PoolCandidate {
  if (candidates.length === 0) throw noMatchingPool(want);
  const active = candidates.filter(({ pool }) => pool.status === "active");
  if (active.length === 0) throw poolPaused(candidates);
  const able = active.filter((each) => canStart(want, each));
  if (able.length === 0) throw browserNotAvailable(want, active);
  const fit = able.filter((each) => each.unsupported?.(want) === undefined);
  if (fit.length === 0) throw browserNotSupported(want, able);
  const willing = fit.filter((each) => findRejectedBy(each, want).length === 0);
  if (willing.length === 0) throw argumentNotAllowed(want, fit);
  const open = willing.filter(hasQueueRoom);
  if (open.length === 0) throw queueFull(willing);
  const [best = open[0]] = [...open].sort((a, b) => compare(want, a, b));
  if (best === undefined) throw noMatchingPool(want);
  return best;
}

/** Whether the pool's provider starts what `want` comes to with the pool's defaults. */
export function canStart(
  want: SessionRequest,
  candidate: Pick<PoolCandidate, "pool" | "choices" | "systems">,
): boolean {
  return findStartable(want, candidate).length > 0;
}

/** Returns the pool's choices that match `want` after the pool's defaults are applied. */
export function findStartable(
  want: SessionRequest,
  { pool, choices, systems }: Pick<
    PoolCandidate,
    "pool" | "choices" | "systems"
  >,
): readonly BrowserChoice[] {
  const browser = want.browser ?? pool.defaultBrowser;
  const version = want.version ?? pool.defaultBrowserVersion ?? "latest";
  const system = want.operating_system ?? pool.defaultOperatingSystem;
  return choices.filter((choice) => {
    const { operatingSystems = systems } = choice;
    return (browser === null || choice.browser === browser) &&
      (choice.versions.includes(version) ||
        choice.versions.includes("*") && /^\d/.test(version)) &&
      (system === null || (operatingSystems?.includes(system) ?? true));
  });
}

/** Names of the arguments that the pool does not allow. */
function findRejectedBy(
  { pool }: PoolCandidate,
  want: SessionRequest,
): readonly string[] {
  return findRejectedArguments(want.arguments ?? [], pool.allowedArguments);
}

/** What could start at once does not count as waiting: `max_queue` comes on top of the room. */
function hasQueueRoom({ pool, pending, room }: PoolCandidate): boolean {
  return pool.maxQueue === null || pending < pool.maxQueue + room;
}

/** Negative: `a` is better. */
function compare(
  want: SessionRequest,
  a: PoolCandidate,
  b: PoolCandidate,
): number {
  return Number(b.room > b.pending) - Number(a.room > a.pending) ||
    scoreLikeness(want, b.pool) - scoreLikeness(want, a.pool) ||
    b.pool.priority - a.pool.priority ||
    a.pending - b.pending ||
    (a.pool.id < b.pool.id ? -1 : 1);
}

/** How many of the pool's own defaults are what is asked for, less those that are not. */
function scoreLikeness(want: SessionRequest, pool: Pool): number {
  const pairs = [
    [want.browser, pool.defaultBrowser],
    [want.version, pool.defaultBrowserVersion],
    [want.headless, pool.defaultHeadless],
    [want.operating_system, pool.defaultOperatingSystem],
  ];
  return pairs.reduce((sum, [asked, own]) => {
    if (asked === undefined || own === null) return sum;
    return sum + (asked === own ? 1 : -1);
  }, 0);
}

function noMatchingPool(want: SessionRequest): GridError {
  return want.work_pool_id === undefined
    ? new GridError(
      poolProblems.no_matching_pool,
      'Cannot find a work pool: there is none, expected one made with "browsergrid pool create"',
    )
    : poolNotFound(want.work_pool_id);
}

/** The refusal for a pool that does not exist. */
export function poolNotFound(ref: string): GridError {
  return new GridError(
    poolProblems.pool_not_found,
    `Cannot find work pool "${ref}": no pool has this id or name, expected one of GET /v1/workerpool/pools`,
  );
}

function poolPaused(candidates: readonly PoolCandidate[]): GridError {
  const states = candidates.map(({ pool }) =>
    `"${pool.name}" is ${pool.status}`
  );
  return new GridError(
    poolProblems.pool_paused,
    `Cannot take a session: work pool ${
      states.join(", ")
    }, expected an active one`,
  );
}

function browserNotAvailable(
  want: SessionRequest,
  candidates: readonly PoolCandidate[],
): GridError {
  const available = candidates.flatMap(({ pool, choices, systems = [] }) =>
    choices.map(({ browser, versions, operatingSystems = systems }) => ({
      browser,
      versions,
      operating_systems: operatingSystems,
      work_pool: pool.name,
    }))
  );
  const { browser, version, operating_system: system } = want;
  const asked = (browser === undefined ? "a browser" : `"${browser}"`) +
    (version === undefined ? "" : ` of version "${version}"`) +
    (system === undefined ? "" : ` on ${system}`);
  const list = available.map((each) =>
    `${each.browser} (${
      each.versions.join(", ").replace("*", "exact versions")
    })${
      each.operating_systems.length > 0
        ? ` on ${each.operating_systems.join(" or ")}`
        : ""
    } in ${each.work_pool}`
  );
  return new GridError(
    poolProblems.browser_not_available,
    `Cannot start ${asked}: no work pool has it, expected ${
      list.join("; ") || "a pool whose provider starts it"
    }`,
    { available },
  );
}

function browserNotSupported(
  want: SessionRequest,
  candidates: readonly PoolCandidate[],
): GridError {
  const reasons = candidates.map(({ pool, unsupported }) =>
    `work pool "${pool.name}" cannot: ${unsupported?.(want)}`
  );
  return new GridError(
    poolProblems.browser_not_available,
    `Cannot start the requested browser: ${reasons.join("; ")}`,
  );
}

function argumentNotAllowed(
  want: SessionRequest,
  candidates: readonly PoolCandidate[],
): GridError {
  const refused = candidates.map((each) => ({
    work_pool: each.pool.name,
    arguments: findRejectedBy(each, want),
    allowed_arguments: each.pool.allowedArguments ?? HARMLESS_ARGUMENTS,
  }));
  const names = new Set(refused.flatMap((each) => each.arguments));
  const never = [...names].flatMap((name) => {
    const why = findForbiddenReason(name);
    return why === undefined ? [] : [`${name} is never allowed: ${why}`];
  });
  // Pools that say the same are told of once: the list of harmless ones is long.
  const alike = Map.groupBy(
    refused,
    (each) =>
      `not allowed: ${each.arguments.join(", ")}, expected ${
        each.allowed_arguments.length === 0
          ? "none at all"
          : `some of ${each.allowed_arguments.join(", ")}`
      }`,
  );
  const lists = [...alike].map(([what, pools]) =>
    `in work pool ${
      pools.map((each) => `"${each.work_pool}"`).join(", ")
    } ${what}`
  );
  return new GridError(
    poolProblems.argument_not_allowed,
    `Cannot give the browser its arguments: ${[...never, ...lists].join("; ")}`,
    { refused },
  );
}

function queueFull(candidates: readonly PoolCandidate[]): GridError {
  const queues = candidates.map(({ pool, pending, room }) =>
    `${pending} wait in work pool "${pool.name}", expected fewer than its max_queue of ${pool.maxQueue}` +
    (room > 0 ? ` and the ${room} that its workers could start` : "")
  );
  return new GridError(
    poolProblems.queue_full,
    `Cannot queue the session: ${queues.join("; ")}`,
  );
}
