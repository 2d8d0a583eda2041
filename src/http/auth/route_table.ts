/**
 * Declarations of routes, found by the path of a request before the router runs: middleware and the gate of upgrades
 * read from them what the route needs.
 *
 * @module
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import type { RouterRoute } from "hono/types";
import { findTargetHandler, isMiddleware } from "hono/utils/handler";
import type {
  GridEnv,
  MatchedRoute,
  PathParams,
  RouteDeclaration,
} from "../../core/middleware.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

const declarations = new WeakMap<object, RouteDeclaration>();

/** Marks `handler` as the middleware of routes with this declaration. */
export function markDeclared(
  handler: MiddlewareHandler<GridEnv>,
  declaration: RouteDeclaration,
): MiddlewareHandler<GridEnv> {
  declarations.set(handler, declaration);
  return handler;
}

/** Returns the declaration among the handlers of a route. */
export function findDeclaration(
  handlers: readonly RouterRoute[],
): RouteDeclaration | undefined {
  for (const { handler } of handlers) {
    const found = declarations.get(findTargetHandler(handler));
    if (found) return found;
  }
}

/** Handlers that are registered under one method and path. */
interface RouteGroup {
  readonly handlers: readonly RouterRoute[];
  /** False for middleware, which only passes requests on. */
  readonly isEndpoint: boolean;
}

/** Groups matched handlers by the method and path that they are registered under. */
export function groupRoutes(
  matched: readonly RouterRoute[],
): readonly RouteGroup[] {
  const groups = Map.groupBy(
    matched,
    ({ method, path }) => `${method} ${path}`,
  );
  return [...groups.values()].map((handlers) => ({
    handlers,
    isEndpoint: handlers.some(({ method, handler }) => {
      const target = findTargetHandler(handler);
      return method !== "ALL" || !isMiddleware(target);
    }),
  }));
}

/** Result of Hono's router. */
type Match = ReturnType<OpenAPIHono<GridEnv>["router"]["match"]>;

/** The first endpoint among the handlers of a match. */
interface Endpoint {
  readonly declaration: RouteDeclaration | undefined;
  readonly pattern: string;
  /** Position of its last handler in the match. */
  readonly at: number;
}

/** The routes of a router. */
export class RouteTable {
  readonly #router: OpenAPIHono<GridEnv>;
  /** Endpoints by the list of handlers, which Hono's router returns again for requests of the same route. */
  readonly #endpoints = new WeakMap<object, Endpoint | "none">();

  constructor(router: OpenAPIHono<GridEnv>) {
    this.#router = router;
  }

  /**
   * Returns the route of a request, if it has a declaration. For a method without a route, which gets 405, it is a route
   * of another method of the path.
   */
  find(method: string, path: string): MatchedRoute | undefined {
    const methods = [method === "HEAD" ? "GET" : method, ...METHODS];
    for (const each of methods) {
      const match = this.#router.router.match(each, path);
      const endpoint = this.#findEndpoint(match);
      if (endpoint === "none") continue;
      const { declaration, pattern, at } = endpoint;
      return declaration &&
        { declaration, pattern, params: readParams(match, at) };
    }
  }

  /** Reports whether a request must be served under overload too: its route has a declaration and is not sheddable. */
  isUrgent(method: string, path: string): boolean {
    const declaration = this.find(method, path)?.declaration;
    return declaration !== undefined && !declaration.isSheddable;
  }

  /** Returns the handlers of the route of a request. */
  findHandlers(method: string, path: string): readonly RouterRoute[] {
    return this.#router.router.match(method, path)[0].map(([[, route]]) =>
      route
    );
  }

  #findEndpoint([matched]: Match): Endpoint | "none" {
    let endpoint = this.#endpoints.get(matched);
    if (endpoint === undefined) {
      const routes = matched.map(([[, route]]) => route);
      const group = groupRoutes(routes).find(({ isEndpoint }) => isEndpoint);
      const last = group?.handlers.at(-1);
      endpoint = group && last
        ? {
          declaration: findDeclaration(group.handlers),
          pattern: toPattern(last.path),
          at: routes.lastIndexOf(last),
        }
        : "none";
      this.#endpoints.set(matched, endpoint);
    }
    return endpoint;
  }
}

/** Returns a path of Hono as the API document writes it, without the patterns of its parameters. */
function toPattern(path: string): string {
  return path.replaceAll(/:(\w+)(\{[^}]*\})?\??/g, "{$1}");
}

/** Reads the path parameters of the handler at a position of a match. */
function readParams([matched, values]: Match, at: number): PathParams {
  const found = matched[at]?.[1] ?? {};
  return Object.fromEntries(
    Object.entries(found).map(([name, value]) => [
      name,
      typeof value === "number" ? values?.[value] ?? "" : value,
    ]),
  );
}
