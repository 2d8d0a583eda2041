import { type Hook, OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { checkAccess } from "./auth/access.ts";
import { respondError, respondProblem } from "./error_response.ts";
import type { InstalledApp } from "../core/app.ts";
import { GridError } from "../core/errors.ts";
import { limitValues } from "./limit_values.ts";
import { describeFaults } from "./validation_issues.ts";
import type { GridEnv } from "../core/middleware.ts";
import { RouteTable } from "./auth/route_table.ts";
import { registerShared } from "./openapi/shared_schemas.ts";
import { createPathReader } from "./server/plain_path.ts";
import { addSystemRoutes } from "./system_routes.ts";
import { truncate } from "../core/text.ts";
import { findMethods, respondUnmatched } from "./routing/not_found.ts";
import { GrowingRouter } from "./routing/growing_router.ts";
import { addRoutes, RouteLoader } from "./routing/route_loader.ts";

export { problemResponses } from "./openapi/problems.ts";

const JSON_TYPE = /^application\/([\w.+-]+\+)?json\s*(;|$)/i;

/** Maximum length of a Content-Type in an error message. */
const MAX_TYPE = 200;

/** Parts of a router. */
export interface RouterParts {
  readonly version: string;
  readonly middleware: readonly MiddlewareHandler<GridEnv>[];
  readonly apps: Iterable<InstalledApp>;
  /** Rejects if the database cannot serve requests now. */
  readonly checkReady: () => Promise<unknown>;
}

/** Creates a router whose validation responds with a problem. Every app uses it for its routes. */
export function createRouter(): OpenAPIHono<GridEnv> {
  return new OpenAPIHono<GridEnv>({ defaultHook: rejectInvalid });
}

/** Creates the router of a server: middleware in order, the routes of apps by version, and system routes. */
export function buildRouter(parts: RouterParts): OpenAPIHono<GridEnv> {
  const root: OpenAPIHono<GridEnv> = new OpenAPIHono<GridEnv>({
    defaultHook: rejectInvalid,
    router: new GrowingRouter(),
    getPath: createPathReader((path) => findMethods(root, path).length > 0),
  });
  const apps = [...parts.apps];
  const loader = new RouteLoader(root);
  for (const { routesOnDemand } of apps) {
    if (routesOnDemand) loader.prepare(routesOnDemand);
  }
  const routes = new RouteTable(root);
  root.use(async function findRoute(c, next) {
    c.set("route", routes.find(c.req.method, c.req.path));
    await next();
  });
  for (const handler of parts.middleware) root.use(handler);
  root.use(checkAccess);
  root.use(requireJson);
  root.use(limitValues);
  registerShared(root);
  const tags: Record<string, string> = {};
  for (const app of apps) {
    Object.assign(tags, app.tags);
    addRoutes(root, app);
  }
  addSystemRoutes(root, {
    ...parts,
    tags,
    loadRoutes: () => loader.loadAll(),
  });
  root.notFound((c) => respondUnmatched(root, c));
  root.onError(respondError);
  return root;
}

/** Rejects bodies of another type, which the validation of routes would ignore. */
const requireJson: MiddlewareHandler<GridEnv> = async (c, next) => {
  const type = c.req.header("content-type");
  if (hasBody(c.req.raw) && !JSON_TYPE.test(type ?? "")) {
    throw new GridError(
      "unsupported_media_type",
      `Cannot read the body: its Content-Type is "${
        truncate(type ?? "", MAX_TYPE)
      }", expected application/json`,
    );
  }
  await next();
};

function hasBody({ method, headers }: Request): boolean {
  if (method === "GET" || method === "HEAD") return false;
  return headers.has("content-type") || headers.has("transfer-encoding") ||
    Number(headers.get("content-length") ?? 0) > 0;
}

/** Names of the validated parts of a request in messages. */
const PARTS = {
  json: "body",
  form: "form",
  query: "query",
  param: "path",
  header: "headers",
  cookie: "cookies",
};

/** Responds to a failed validation with `invalid_request` and every path. */
const rejectInvalid: Hook<unknown, GridEnv, string, Response | undefined> = (
  result,
  c,
) => {
  if (result.success) return undefined;
  const { listed, detail } = describeFaults(result.error.issues);
  return respondProblem(
    c,
    new GridError(
      "invalid_request",
      `Cannot use the ${PARTS[result.target]}: ${detail}`,
      { errors: listed.map((fault) => ({ in: result.target, ...fault })) },
    ),
  );
};
