import type { IncomingMessage } from "node:http";
import type { Core } from "../core/app.ts";
import { GridError } from "../core/errors.ts";
import type { UpgradeContext } from "../core/app.ts";
import { checkOrigin } from "../http/auth/origin_check.ts";
import { gatewayProblems } from "./problems.ts";

/** The connection that a client requests. */
export type UpgradeTarget =
  | { readonly kind: "connect" }
  | {
    readonly kind: "session";
    readonly id: string;
    /** Target of the browser; undefined connects to the whole browser. */
    readonly page?: { readonly kind: string; readonly id: string };
  };

/**
 * Parses the query parameter `takeover`: true evicts the oldest client if the session has no free slot.
 *
 * @throws {GridError} `invalid_request`.
 */
export function parseTakeover(query: URLSearchParams): boolean {
  const text = query.get("takeover") ?? "false";
  if (text === "true" || text === "false") return text === "true";
  throw new GridError(
    "invalid_request",
    `Cannot use the query: takeover is "${text}", expected true or false`,
  );
}

/**
 * Rejects clients that expect Playwright's own protocol; they would fail with an obscure message after the handshake.
 * CDP clients of Playwright send the same `User-Agent`, but none of these headers.
 *
 * @throws {GridError} `protocol_not_supported`.
 */
export function rejectPlaywright({ headers }: IncomingMessage): void {
  const isPlaywright = /^Playwright\//.test(headers["user-agent"] ?? "");
  const isOwnProtocol = Object.keys(headers).some((name) =>
    name.startsWith("x-playwright-")
  );
  if (!isPlaywright || !isOwnProtocol) return;
  throw new GridError(
    gatewayProblems.protocol_not_supported,
    "Cannot connect: connect() speaks Playwright's own protocol, and the browser speaks CDP, expected chromium.connectOverCDP() with the same address",
  );
}

/** Returns the value of a header that occurs once. */
function findHeader(
  request: IncomingMessage,
  name: string,
): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}

/**
 * Checks the handshake and the `Origin` header, which the middleware does not check for upgrades.
 *
 * @throws {GridError} `upgrade_required`, `origin_not_allowed`.
 */
export function checkHandshake(
  core: Core,
  request: IncomingMessage,
  { baseUrl, caller }: Pick<UpgradeContext, "baseUrl" | "caller">,
): void {
  const isWebSocket = request.method === "GET" &&
    findHeader(request, "upgrade")?.toLowerCase() === "websocket" &&
    findHeader(request, "sec-websocket-version") === "13" &&
    findHeader(request, "sec-websocket-key") !== undefined;
  if (!isWebSocket) {
    throw new GridError(
      "upgrade_required",
      "Cannot upgrade: the request is not a WebSocket handshake, expected Upgrade: websocket and Sec-WebSocket-Version: 13",
    );
  }
  checkOrigin(core.settings, {
    origin: findHeader(request, "origin"),
    host: findHeader(request, "host"),
    baseUrl,
    isSignedIn: caller?.signedInUntil !== undefined,
  });
}
