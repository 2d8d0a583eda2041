/**
 * Access of callers to routes. A route declares it with {@linkcode declareRoute} or {@linkcode access}; a route that
 * declares nothing is for admins only.
 *
 * @module
 */
import {
  ANONYMOUS,
  type Caller,
  hasRole,
  type Role,
} from "../../core/caller.ts";
import type { Context, MiddlewareHandler, Next } from "hono";
import { matchedRoutes } from "hono/route";
import { GridError } from "../../core/errors.ts";
import type { GridEnv, RouteDeclaration } from "../../core/middleware.ts";
import { findDeclaration, groupRoutes, markDeclared } from "./route_table.ts";

/** The parts of a `createRoute()` that a declaration determines. */
export interface DeclaredRoute {
  readonly middleware: MiddlewareHandler<GridEnv>;
  /** Roles that the OpenAPI document names. */
  readonly "x-roles"?: readonly Role[];
  /** Empty for a route that needs no key. */
  readonly security?: Record<string, string[]>[];
}

/** Declares a route, as a part of `createRoute()`: `...declareRoute({ roles: ["worker"], isQuiet: true })`. */
export function declareRoute(declaration: RouteDeclaration): DeclaredRoute {
  const { roles = [], isOpen = false } = declaration;
  const middleware = markDeclared(
    async function checkRole(c, next) {
      requireRole(getCaller(c), roles);
      await next();
    },
    declaration,
  );
  return isOpen
    ? { middleware, security: [] }
    : { middleware, "x-roles": [...new Set<Role>(["admin", ...roles])] };
}

/** Middleware of a route that accepts callers with these roles, and admins. Without roles: admins only. */
export function allow(...roles: readonly Role[]): MiddlewareHandler<GridEnv> {
  return declareRoute({ roles }).middleware;
}

/**
 * {@linkcode allow} as a part of a `createRoute()`, which adds the roles to the OpenAPI document: `...access("client")`.
 * Requests to routes of clients may be rejected under overload.
 */
export function access(...roles: readonly Role[]): DeclaredRoute {
  return declareRoute({ roles, isSheddable: roles.includes("client") });
}

/** Returns the caller of a request; {@linkcode ANONYMOUS} where no key is needed. */
export function getCaller(c: Context<GridEnv>): Caller {
  return c.get("caller") ?? ANONYMOUS;
}

/**
 * Returns the owner whose sessions `caller` may see; undefined means any. A connect token is limited to its session by
 * the path.
 */
export function findOwnerLimit(
  { id, role, sessionId }: Caller,
): string | undefined {
  return role === "client" && sessionId === undefined ? id : undefined;
}

/** @throws {GridError} `forbidden` - unless `caller` is an admin or has one of `roles`. */
export function requireRole(caller: Caller, roles: readonly Role[]): void {
  if (hasRole(caller, roles)) return;
  const accepted = [...new Set(["admin", ...roles])].join(" or ");
  throw new GridError(
    "forbidden",
    `Cannot accept the request: the key's role is ${caller.role}, expected ${accepted}`,
    { role: caller.role },
  );
}

/** @throws {GridError} `forbidden` - when `caller` is restricted to another work pool. */
export function requirePool(
  { workPoolId }: Pick<Caller, "workPoolId">,
  pool: { readonly id?: string | undefined; readonly ref: string },
): void {
  if (workPoolId === undefined || workPoolId === pool.id) return;
  throw new GridError(
    "forbidden",
    `Cannot use work pool "${pool.ref}": the key is restricted to another one, expected "${workPoolId}"`,
    { work_pool_id: workPoolId },
  );
}

/** Middleware of the whole router: accepts the roles that every matched route declares, by default only admins. */
export async function checkAccess(
  c: Context<GridEnv>,
  next: Next,
): Promise<void> {
  const caller = getCaller(c);
  if (caller.role !== "admin") {
    for (const { handlers, isEndpoint } of groupRoutes(matchedRoutes(c))) {
      const declaration = findDeclaration(handlers);
      if (isEndpoint || declaration) {
        requireRole(caller, declaration?.roles ?? []);
      }
    }
  }
  await next();
}
