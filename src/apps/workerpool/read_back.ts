import { GridError } from "../../core/errors.ts";
import { type Pool, renderPool } from "./pool.ts";
import type { PoolChange, PoolInput, PoolReplacement } from "./schemas.ts";

const READ_ONLY = ["id", "created_at", "updated_at"] as const;

interface Fault {
  readonly path: string;
  readonly message: string;
}

/**
 * The whole input that a body of PUT stands for. Members that GET gives and nobody sets are left out, and secrets that it
 * does not show are put in. `pool` has its secrets in plain.
 *
 * @throws {GridError} `read_only_member` — with the names of those that differ.
 */
export function replacementOf(pool: Pool, body: PoolReplacement): PoolInput {
  const { id: _, created_at: __, updated_at: ___, ...input } = body;
  return {
    ...input,
    default_environment: null,
    ...secretsOf(pool, body),
  };
}

/** As {@linkcode replacementOf}, of a body of PATCH. */
export function changeOf(pool: Pool, body: PoolChange): Readonly<object> {
  const { id: _, created_at: __, updated_at: ___, ...change } = body;
  return { ...change, ...secretsOf(pool, body) };
}

function secretsOf(
  pool: Pool,
  body: PoolChange,
): Partial<Pick<PoolInput, "default_environment" | "default_proxy">> {
  const faults = faultsIn(pool, body);
  if (faults.length > 0) throw readOnly(faults);
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

function faultsIn(pool: Pool, body: PoolChange): readonly Fault[] {
  const shown = renderPool(pool, "admin");
  const faults: Fault[] = READ_ONLY.flatMap((name) =>
    body[name] === undefined || body[name] === shown[name]
      ? []
      : [{ path: name, message: `is "${shown[name]}" and cannot be set` }]
  );
  const { default_environment: names } = body;
  if (
    Array.isArray(names) && !hasNames(names, shown.default_environment ?? [])
  ) {
    faults.push({
      path: "default_environment",
      message: "has other names than the pool's, whose values are not known",
    });
  }
  return faults;
}

function hasNames(given: readonly string[], own: readonly string[]): boolean {
  return new Set(given).symmetricDifference(new Set(own)).size === 0;
}

/** Whether a proxy is as GET shows it, without its password. */
function isSameProxy(
  given: NonNullable<PoolInput["default_proxy"]>,
  { defaultProxy: own }: Pool,
): boolean {
  return given.proxy_password === undefined &&
    given.proxy_url === own?.proxy_url &&
    given.proxy_username === own.proxy_username;
}

function readOnly(faults: readonly Fault[]): GridError {
  const detail = faults.map(({ path, message }) => `${path} ${message}`).join(
    "; ",
  );
  return new GridError(
    "read_only_member",
    `Cannot use the body: ${detail}; expected what GET gives, or none of it`,
    { errors: faults.map((fault) => ({ in: "json", ...fault })) },
  );
}
