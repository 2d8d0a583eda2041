/**
 * The problems of a session that no work pool can take. Each function is named for its problem code.
 *
 * @module
 */
import { GridError } from "../../core/errors.ts";
import {
  findForbiddenReason,
  HARMLESS_ARGUMENTS,
} from "./allowed_arguments.ts";
import {
  findRejectedBy,
  type PoolCandidate,
  type SessionRequest,
} from "./candidate.ts";
import { poolProblems } from "./problems.ts";

/** The problem of a session without a pool to assign it to. */
export function noMatchingPool(
  { work_pool_id }: Pick<SessionRequest, "work_pool_id">,
): GridError {
  return work_pool_id === undefined
    ? new GridError(
      poolProblems.no_matching_pool,
      'Cannot find a work pool: there is none, expected one created with "browsergrid pool create"',
    )
    : poolNotFound(work_pool_id);
}

/** The problem of a reference to no pool. */
export function poolNotFound(ref: string): GridError {
  return new GridError(
    poolProblems.pool_not_found,
    `Cannot find work pool "${ref}": no pool has this id or name, expected one of GET /v1/workerpool/pools`,
  );
}

/** The problem of a session whose possible pools are all paused, draining or inactive. */
export function poolPaused(candidates: readonly PoolCandidate[]): GridError {
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

/** The problem of a browser, version or operating system that no pool offers. Lists the offered ones. */
export function browserNotAvailable(
  request: SessionRequest,
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
  const offers = available.map((each) =>
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
    `Cannot start ${renderRequest(request)}: no work pool has it, expected ${
      offers.join("; ") || "a pool whose provider starts it"
    }`,
    { available },
  );
}

function renderRequest(
  { browser, version, operating_system: system }: SessionRequest,
): string {
  return (browser === undefined ? "a browser" : `"${browser}"`) +
    (version === undefined ? "" : ` of version "${version}"`) +
    (system === undefined ? "" : ` on ${system}`);
}

/** The problem of a session that the providers of its possible pools do not support. */
export function browserNotSupported(
  request: SessionRequest,
  candidates: readonly PoolCandidate[],
): GridError {
  const reasons = candidates.map(({ pool, unsupported }) =>
    `work pool "${pool.name}" cannot: ${unsupported?.(request)}`
  );
  return new GridError(
    poolProblems.browser_not_available,
    `Cannot start the requested browser: ${reasons.join("; ")}`,
  );
}

/** The problem of arguments that no possible pool allows. Lists the allowed ones. */
export function argumentNotAllowed(
  request: SessionRequest,
  candidates: readonly PoolCandidate[],
): GridError {
  const rejected = candidates.map((each) => ({
    work_pool: each.pool.name,
    arguments: findRejectedBy(each, request),
    allowed_arguments: each.pool.allowedArguments ?? HARMLESS_ARGUMENTS,
  }));
  const names = new Set(rejected.flatMap((each) => each.arguments));
  const forbidden = [...names].flatMap((name) => {
    const reason = findForbiddenReason(name);
    return reason === undefined ? [] : [`${name} is never allowed: ${reason}`];
  });
  // Pools with the same list share one mention, because the list of harmless arguments is long.
  const pools = Map.groupBy(
    rejected,
    (each) =>
      `not allowed: ${each.arguments.join(", ")}, expected ${
        each.allowed_arguments.length === 0
          ? "none at all"
          : `some of ${each.allowed_arguments.join(", ")}`
      }`,
  );
  const lists = [...pools].map(([reason, members]) =>
    `in work pool ${
      members.map((each) => `"${each.work_pool}"`).join(", ")
    } ${reason}`
  );
  return new GridError(
    poolProblems.argument_not_allowed,
    `Cannot give the browser its arguments: ${
      [...forbidden, ...lists].join("; ")
    }`,
    { refused: rejected },
  );
}

/** The problem of a session for which no possible pool has room in its queue. */
export function queueFull(candidates: readonly PoolCandidate[]): GridError {
  const queues = candidates.map(({ pool, pending, room }) =>
    `${pending} wait in work pool "${pool.name}", expected fewer than its max_queue of ${pool.maxQueue}` +
    (room > 0 ? ` and the ${room} that its workers could start` : "")
  );
  return new GridError(
    poolProblems.queue_full,
    `Cannot queue the session: ${queues.join("; ")}`,
  );
}
