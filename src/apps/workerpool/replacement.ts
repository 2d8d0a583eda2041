import { GridError } from "../../core/errors.ts";
import { type Pool, renderPool } from "./pool.ts";
import { poolProblems } from "./problems.ts";
import type { PoolChange, PoolInput, PoolReplacement } from "./schemas.ts";

const READ_ONLY = ["id", "created_at", "updated_at"] as const;

/** The reason why one member of a body is rejected. */
interface MemberProblem {
  readonly path: string;
  readonly message: string;
}

/**
 * Returns the complete input of a body of PUT, without read-only members, and with the secrets that GET does not return.
 * The secrets in `pool` are plain text.
 *
 * @throws {GridError} `read_only_member` - read-only members differ from the pool's; names them.
 */
export function toReplacement(pool: Pool, body: PoolReplacement): PoolInput {
  return {
    ...omitReadOnly(body),
    default_environment: null,
    ...keepSecrets(pool, body),
  };
}

/** Returns the change of a body of PATCH, like {@linkcode toReplacement}. */
export function toChange(pool: Pool, body: PoolChange): Readonly<object> {
  return { ...omitReadOnly(body), ...keepSecrets(pool, body) };
}

function omitReadOnly<B extends PoolChange>(
  { id: _, created_at: __, updated_at: ___, provider_secrets: ____, ...rest }:
    B,
): Omit<B, "id" | "created_at" | "updated_at" | "provider_secrets"> {
  return rest;
}

function keepSecrets(
  pool: Pool,
  body: PoolChange,
): Partial<
  Pick<PoolInput, "default_environment" | "default_proxy" | "provider_config">
> {
  const problems = findProblems(pool, body);
  if (problems.length > 0) throw readOnlyMember(problems);
  const { default_environment, default_proxy, provider_config } = body;
  return {
    ...(provider_config === undefined
      ? {}
      : { provider_config: keepOptions(pool, provider_config) }),
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

/** Returns a configuration with the stored values of the secret options that it does not set. Null removes a value. */
function keepOptions(
  { providerSecrets }: Pool,
  config: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged = { ...providerSecrets, ...config };
  const isRemoved = (name: string, value: unknown) =>
    value === null && Object.hasOwn(providerSecrets ?? {}, name);
  return Object.fromEntries(
    Object.entries(merged).filter((entry) => !isRemoved(...entry)),
  );
}

function findProblems(pool: Pool, body: PoolChange): readonly MemberProblem[] {
  const rendered = renderPool(pool, "admin");
  const problems: MemberProblem[] = READ_ONLY.flatMap((name) =>
    body[name] === undefined || body[name] === rendered[name]
      ? []
      : [{ path: name, message: `is "${rendered[name]}" and cannot be set` }]
  );
  for (const path of ["default_environment", "provider_secrets"] as const) {
    const names = body[path];
    if (!Array.isArray(names) || hasSameNames(names, rendered[path] ?? [])) {
      continue;
    }
    problems.push({
      path,
      message:
        "has names that the pool's does not have, so their values are unknown",
    });
  }
  return problems;
}

function hasSameNames(a: readonly string[], b: readonly string[]): boolean {
  return new Set(a).symmetricDifference(new Set(b)).size === 0;
}

/** Reports whether a proxy equals the one that GET returns, which has no password. */
function isSameProxy(
  proxy: NonNullable<PoolInput["default_proxy"]>,
  { defaultProxy: stored }: Pool,
): boolean {
  return proxy.proxy_password === undefined &&
    proxy.proxy_url === stored?.proxy_url &&
    proxy.proxy_username === stored.proxy_username;
}

/** The problem of read-only members that differ from the pool's. */
function readOnlyMember(problems: readonly MemberProblem[]): GridError {
  const detail = problems.map(({ path, message }) => `${path} ${message}`).join(
    "; ",
  );
  return new GridError(
    poolProblems.read_only_member,
    `Cannot use the body: ${detail}; expected the value that GET returns, or none`,
    { errors: problems.map((problem) => ({ in: "json", ...problem })) },
  );
}
