/**
 * Who may use which endpoint. A route says so with {@linkcode access}; one that says nothing is for admins only.
 *
 * @module
 */
import { hasRole } from "../../core/caller.ts";
import type { Context, MiddlewareHandler, Next } from "hono";
import { matchedRoutes } from "hono/route";
import type { RouterRoute } from "hono/types";
import { findTargetHandler, isMiddleware } from "hono/utils/handler";
import { ANONYMOUS, type Caller, type Role } from "../../core/caller.ts";
import { GridError } from "../../core/errors.ts";
import type { GridEnv } from "../../core/middleware.ts";

const rolesOf = new WeakMap<object, readonly Role[]>();

/** Middleware of one route that lets in callers with these roles, and admins. Without roles: only admins. */
export function allow(...roles: readonly Role[]): MiddlewareHandler<GridEnv> {
  const handler: MiddlewareHandler<GridEnv> = async function checkRole(
    c,
    next,
  ) {
    requireRole(callerIn(c), roles);
    await next();
  };
  rolesOf.set(handler, roles);
  return handler;
}

/** {@linkcode allow} as a part of a `createRoute()`, which the OpenAPI document tells of: `...access("client")`. */
export function access(
  ...roles: readonly Role[]
): {
  readonly middleware: MiddlewareHandler<GridEnv>;
  readonly "x-roles": readonly Role[];
} {
  const all = new Set<Role>(["admin", ...roles]);
  return { middleware: allow(...roles), "x-roles": [...all] };
}

/** Who a request comes from. Where nobody asks for keys, and on open paths, everybody is `anonymous`. */
export function callerIn(c: Context<GridEnv>): Caller {
  return c.get("caller") ?? ANONYMOUS;
}

/** The owner of whom alone `caller` may see sessions; undefined: of everybody. A connect token has its own session in its path. */
export function ownerLimit(
  { id, role, sessionId }: Caller,
): string | undefined {
  return role === "client" && sessionId === undefined ? id : undefined;
}

/** @throws {GridError} `forbidden` — unless `caller` is an admin or has one of `roles`. */
export function requireRole(caller: Caller, roles: readonly Role[]): void {
  if (hasRole(caller, roles)) return;
  const accepted = [...new Set(["admin", ...roles])].join(" or ");
  throw new GridError(
    "forbidden",
    `Cannot let the request in: the key's role is ${caller.role}, expected ${accepted}`,
    { role: caller.role },
  );
}

/** @throws {GridError} `forbidden` — when `caller` is restricted to another work pool. */
export function requirePool(
  { workPoolId }: Pick<Caller, "workPoolId">,
  wanted: { readonly id?: string | undefined; readonly ref: string },
): void {
  if (workPoolId === undefined || workPoolId === wanted.id) return;
  throw new GridError(
    "forbidden",
    `Cannot use work pool "${wanted.ref}": the key is restricted to another one, expected "${workPoolId}"`,
    { work_pool_id: workPoolId },
  );
}

/** Middleware of the whole router: holds every route to its roles, and one that names none to admins. */
export async function checkAccess(
  c: Context<GridEnv>,
  next: Next,
): Promise<void> {
  const caller = callerIn(c);
  if (caller.role !== "admin") {
    const routes = Map.groupBy(
      matchedRoutes(c),
      ({ method, path }) => `${method} ${path}`,
    );
    for (const route of routes.values()) {
      const roles = neededFor(route);
      if (roles) requireRole(caller, roles);
    }
  }
  await next();
}

/** Roles for what is registered under one method and path; undefined if that is middleware only. */
function neededFor(
  handlers: readonly RouterRoute[],
): readonly Role[] | undefined {
  const targets = handlers.map(({ handler }) => findTargetHandler(handler));
  const marks = targets.flatMap((each) => rolesOf.get(each) ?? []);
  if (targets.some((each) => rolesOf.has(each))) return marks;
  const isPassedBy = handlers.every(({ method }, at) => {
    const target = targets[at];
    return method === "ALL" && target !== undefined && isMiddleware(target);
  });
  return isPassedBy ? undefined : [];
}
