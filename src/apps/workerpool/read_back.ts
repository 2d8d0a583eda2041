import { GridError } from "../../core/errors.ts";
import { type Pool, renderPool } from "./pool.ts";
import type { PoolChange, PoolInput, PoolReplacement } from "./schemas.ts";
import { poolProblems } from "./problems.ts";

const READ_ONLY = ["id", "created_at", "updated_at"] as const;

interface MemberProblem {
  readonly path: string;
  readonly message: string;
}

/**
 * Returns the whole input that a body of PUT stands for, without read-only members, and with the secrets that GET does
 * not show. The secrets in `pool` are plain text.
 *
 * @throws {GridError} `read_only_member` — read-only members differ from the pool's; names them.
 */
export function toReplacement(pool: Pool, body: PoolReplacement): PoolInput {
  const { id: _, created_at: __, updated_at: ___, ...input } = body;
  return {
    ...input,
    default_environment: null,
    ...keepSecrets(pool, body),
  };
}

/** Returns the change that a body of PATCH stands for, like {@linkcode toReplacement}. */
export function toChange(pool: Pool, body: PoolChange): Readonly<object> {
  const { id: _, created_at: __, updated_at: ___, ...change } = body;
  return { ...change, ...keepSecrets(pool, body) };
}

function keepSecrets(
  pool: Pool,
  body: PoolChange,
): Partial<Pick<PoolInput, "default_environment" | "default_proxy">> {
  const faults = findProblems(pool, body);
  if (faults.length > 0) throw readOnlyMember(faults);
  const { default_environment, default_proxy } = body;
  return {
    ...(default_environment === undefined ? {} : {
      default_environment: Array.isArray(default_environment)
        ? pool.defaultEnvironment
        : default_environment,
    }),
    ...(default_proxy && isSameProxy(default_proxy, pool)
      ? { default_proxy: pool.defaultProxy }
      : {}),
  };
}

function findProblems(pool: Pool, body: PoolChange): readonly MemberProblem[] {
  const shown = renderPool(pool, "admin");
  const faults: MemberProblem[] = READ_ONLY.flatMap((name) =>
    body[name] === undefined || body[name] === shown[name]
      ? []
      : [{ path: name, message: `is "${shown[name]}" and cannot be set` }]
  );
  const { default_environment: names } = body;
  if (
    Array.isArray(names) &&
    !hasSameNames(names, shown.default_environment ?? [])
  ) {
    faults.push({
      path: "default_environment",
      message:
        "has names that the pool's does not have, so their values are unknown",
    });
  }
  return faults;
}

function hasSameNames(
  given: readonly string[],
  own: readonly string[],
): boolean {
  return new Set(given).symmetricDifference(new Set(own)).size === 0;
}

/** Reports whether a proxy equals the one that GET shows, which has no password. */
function isSameProxy(
  given: NonNullable<PoolInput["default_proxy"]>,
  { defaultProxy: own }: Pool,
): boolean {
  return given.proxy_password === undefined &&
    given.proxy_url === own?.proxy_url &&
    given.proxy_username === own.proxy_username;
}

function readOnlyMember(faults: readonly MemberProblem[]): GridError {
  const detail = faults.map(({ path, message }) => `${path} ${message}`).join(
    "; ",
  );
  return new GridError(
    poolProblems.read_only_member,
    `Cannot use the body: ${detail}; expected the value that GET returns, or none`,
    { errors: faults.map((fault) => ({ in: "json", ...fault })) },
  );
}
