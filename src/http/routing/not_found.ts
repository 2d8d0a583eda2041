import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { respondProblem } from "../error_response.ts";
import { GridError } from "../../core/errors.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { truncate } from "../../core/text.ts";

/** Maximum length of a path in an error message. */
const MAX_PATH = 200;

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/**
 * Responds to a request without a route: 405 with `Allow` if the path has routes of other methods, else 404. `OPTIONS`
 * of a known path gets 204 with `Allow`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6 RFC 9110, 15.5.6}
 */
export function respondUnmatched(
  root: OpenAPIHono<GridEnv>,
  c: Context<GridEnv>,
): Response {
  const { method, path } = c.req;
  const found = findMethods(root, path);
  if (found.length === 0) {
    return respondProblem(c, notFound(method, truncate(path, MAX_PATH)));
  }
  const allow = renderAllow(found);
  const response = method === "OPTIONS"
    ? c.body(null, 204)
    : respondProblem(c, notAllowed(method, truncate(path, MAX_PATH), allow));
  response.headers.set("allow", allow);
  return response;
}

/** Returns the methods that have a route at `path`. */
export function findMethods(
  root: OpenAPIHono<GridEnv>,
  path: string,
): readonly string[] {
  return METHODS.filter((each) => hasRoute(root, each, path));
}

/** Reports whether a path has a route of a method. Middleware is registered under ALL. */
function hasRoute(
  root: OpenAPIHono<GridEnv>,
  method: string,
  path: string,
): boolean {
  const [handlers] = root.router.match(method, path);
  return handlers.some(([[, route]]) => route.method !== "ALL");
}

function renderAllow(found: readonly string[]): string {
  const head = found.includes("GET") ? ["HEAD"] : [];
  return [...found, ...head, "OPTIONS"].join(", ");
}

function notFound(method: string, path: string): GridError {
  return new GridError(
    "not_found",
    `Cannot find "${method} ${path}": no such endpoint, expected one that /openapi.json lists`,
  );
}

function notAllowed(method: string, path: string, allow: string): GridError {
  return new GridError(
    "method_not_allowed",
    `Cannot use ${method} on "${path}": the endpoint does not take it, expected one of ${allow}`,
  );
}
