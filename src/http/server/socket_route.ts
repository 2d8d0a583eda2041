/**
 * WebSockets and other upgrades as routes: declared and described as any route, served as raw sockets.
 *
 * @module
 */
import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { findTargetHandler } from "hono/utils/handler";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { InstalledApp, UpgradeContext } from "../../core/app.ts";
import { ANONYMOUS } from "../../core/caller.ts";
import { GridError, toGridError } from "../../core/errors.ts";
import { createLogger } from "../../core/log.ts";
import type { GridEnv, PathParams } from "../../core/middleware.ts";
import { type DeclaredRoute, requireRole } from "../auth/access.ts";
import type { RouteTable } from "../auth/route_table.ts";
import { respondProblem } from "../error_response.ts";
import { createUpgradeResponse, writeRawResponse } from "./raw_response.ts";

const log = createLogger("http", "socket");

/** An upgrade that has passed the middleware, of a caller with a declared role. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Uint8Array;
  readonly context: UpgradeContext;
  readonly params: PathParams;
}

/** Takes over a socket. Never rejects. */
export type ServeSocket = (upgrade: Upgrade) => Promise<void>;

/** A route that serves upgrades. Requests without an upgrade are rejected with `upgrade_required`. */
export type SocketRoute = Omit<RouteConfig, "method"> & DeclaredRoute & {
  /** Hono's pattern of the path, where it accepts more than the documented path. */
  readonly pattern?: string;
};

const servers = new WeakMap<object, ServeSocket>();

/** Adds a socket to the routes and to the OpenAPI document of an app. */
export function addSocket(
  router: OpenAPIHono<GridEnv>,
  { pattern, middleware, ...route }: SocketRoute,
  serve: ServeSocket,
): void {
  router.openAPIRegistry.registerPath({
    ...route,
    method: "get",
    "x-websocket": true,
  });
  const endpoint: MiddlewareHandler<GridEnv> = (c) =>
    Promise.resolve(respondProblem(c, upgradeRequired(c.req.path)));
  servers.set(endpoint, serve);
  const path = pattern ?? route.path.replaceAll(/\{(\w+)\}/g, ":$1");
  router.get(path, middleware, endpoint);
}

/** Returns the upgrader for the sockets of a router's routes. */
export function createSocketUpgrader(
  routes: RouteTable,
): NonNullable<InstalledApp["upgrade"]> {
  return async function serveRoute(request, socket, head, context) {
    const serve = routes.findHandlers("GET", context.path)
      .map(({ handler }) => servers.get(findTargetHandler(handler)))
      .find((each) => each !== undefined);
    const route = routes.find("GET", context.path);
    if (!serve || !route) return false;
    const { declaration, params } = route;
    try {
      requireRole(context.caller ?? ANONYMOUS, declaration.roles ?? []);
    } catch (error) {
      rejectUpgrade(socket, error, context);
      return true;
    }
    await serve({ request, socket, head, context, params });
    return true;
  };
}

/** Responds to an upgrade with the problem for `thrown`, and closes its socket. */
export function rejectUpgrade(
  socket: Duplex,
  thrown: unknown,
  context: UpgradeContext,
): void {
  const error = toGridError(thrown);
  if (error.code === "internal") {
    log.error("Upgrade failed: {error}", {
      error: thrown,
      request_id: context.requestId,
    });
  }
  // The request log has only one line, which says that the middleware accepted it.
  log.info("{path} rejected with {status} {code}: {detail}", {
    path: context.url.pathname,
    status: error.status,
    code: error.code,
    detail: error.message,
    request_id: context.requestId,
    trace_id: context.trace?.traceId,
  });
  void writeRawResponse(socket, createUpgradeResponse(error, context));
}

function upgradeRequired(path: string): GridError {
  return new GridError(
    "upgrade_required",
    `Cannot serve "${path}" over HTTP: it is a WebSocket, expected an upgrade`,
  );
}
