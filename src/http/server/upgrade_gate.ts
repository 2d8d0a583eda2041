/**
 * The middleware of upgrades. A request is created for each upgrade and sent through the same chain as other requests.
 * One that reaches the end is accepted; any other response is written to the socket.
 *
 * ```
 * upgrade -> request_log -> ... -> api_key -> ... -> admitted -> an app takes the socket
 *                                   +- 401 -> written to the socket, which is closed
 * ```
 *
 * @module
 */
import type { UpgradeContext } from "../../core/app.ts";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { IncomingMessage } from "node:http";
import { respondError } from "../error_response.ts";
import { getBaseUrl } from "../base_url.ts";
import { RouteTable } from "../auth/route_table.ts";
import { GridError } from "../../core/errors.ts";
import type { GridBindings, GridEnv } from "../../core/middleware.ts";
import { removeAlias } from "./plain_path.ts";

/** Sends an upgrade through the middleware. Returns the response if it is not accepted. Never rejects. */
export type UpgradeGate = (
  incoming: IncomingMessage,
  request: Request,
) => Promise<UpgradeContext | Response>;

/** Creates the gate of a chain that `router` has too: both count in the same buckets. */
export function createUpgradeGate(
  chain: readonly MiddlewareHandler<GridEnv>[],
  router: OpenAPIHono<GridEnv>,
): UpgradeGate {
  const routes = new RouteTable(router);
  const admitted = new WeakMap<GridBindings, Context<GridEnv>>();
  const gate = new Hono<GridEnv>({
    getPath: (request) => router.getPath(request),
  });
  gate.use(async (c, next) => {
    c.set("kind", "upgrade");
    c.set("route", routes.find(c.req.method, c.req.path));
    await next();
  });
  for (const handler of chain) gate.use(handler);
  gate.all("*", (c) => {
    admitted.set(c.env, c);
    return c.body(null, 204);
  });
  gate.onError(respondError);
  return async function admit(incoming, request) {
    const bindings = { incoming };
    const response = await gate.fetch(request, bindings);
    const end = admitted.get(bindings);
    if (!end || !response.ok) return response;
    const { caller, requestId, trace } = end.var;
    return {
      url: parsePlainUrl(request.url),
      path: end.req.path,
      baseUrl: getBaseUrl(end),
      caller,
      requestId,
      trace,
      headers: response.headers,
    };
  };
}

/** Parses the request's URL, with the API's canonical path. */
function parsePlainUrl(text: string): URL {
  const url = new URL(text);
  url.pathname = removeAlias(url.pathname);
  return url;
}

/**
 * Creates the request that represents an upgrade.
 *
 * @throws {GridError} `malformed_request` - if its target, host or method is invalid for a request.
 */
export function toRequest(
  { method, url = "", headers, rawHeaders }: IncomingMessage,
  signal: AbortSignal,
): Request {
  try {
    const { host = "localhost" } = headers;
    const target = /^https?:\/\//i.test(url) ? url : `http://${host}${url}`;
    // A backslash would become a slash.
    const isPath = url.startsWith("/") || target === url;
    if (!isPath || /^[^?]*\\/.test(url) || !isHost(host)) {
      throw new TypeError(url);
    }
    return new Request(target, {
      method: method ?? "GET",
      headers: pairHeaders(rawHeaders),
      signal,
    });
  } catch (cause) {
    throw malformedRequest("its target, Host or method is wrong", cause);
  }
}

/** Returns the rejection of a malformed request. */
export function malformedRequest(why: string, cause?: unknown): GridError {
  return new GridError(
    "malformed_request",
    `Cannot read the request: ${why}, expected a path below this server`,
    {},
    { cause },
  );
}

/** Reports whether `text` is only a host: any text after it would become part of the path. */
function isHost(text: string): boolean {
  return !/[\\/?#@]/.test(text) && URL.canParse(`http://${text}/`);
}

/** Returns the headers of a request as pairs of name and value. */
export function pairHeaders(rawHeaders: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    pairs.push([rawHeaders[at] ?? "", rawHeaders[at + 1] ?? ""]);
  }
  return pairs;
}
