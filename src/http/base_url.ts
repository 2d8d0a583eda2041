import type { Context } from "hono";
import {
  createNetworkMatcher,
  getPeerAddress,
} from "./server/client_address.ts";
import type { GridEnv } from "../core/middleware.ts";
import { getRequestUrl } from "./request_url.ts";
import { removeEndSlash } from "../core/text.ts";

/** Maximum length of a path prefix that is accepted from a proxy. */
const MAX_PREFIX = 200;

/** Settings that determine the URL under which a client reaches the server. */
export interface BaseUrlSettings {
  readonly public_url?: string | undefined;
  readonly trusted_proxies: readonly string[];
}

/**
 * Returns the URL of the server as the client of a request reaches it, without a trailing slash: `public_url`;
 * otherwise the URL in a trusted proxy's `X-Forwarded-Proto`, `-Host` and `-Prefix`; otherwise the URL of the request.
 */
export function createBaseUrlReader(
  { public_url, trusted_proxies }: BaseUrlSettings,
): (c: Context<GridEnv>) => string {
  const isProxy = createNetworkMatcher(trusted_proxies);
  return function baseUrlOf(c) {
    if (public_url !== undefined) return removeEndSlash(public_url);
    const { origin, protocol, host } = getRequestUrl(c);
    if (!isProxy(getPeerAddress(c) ?? "")) return origin;
    const scheme = readForwarded(c, "proto", /^https?$/i)?.toLowerCase();
    const name = readForwarded(c, "host", HOST);
    const url = URL.parse(
      `${scheme ?? protocol.slice(0, -1)}://${name ?? host}`,
    );
    return (url?.origin ?? origin) + readPrefix(c);
  };
}

/** Returns the result of an earlier {@linkcode createBaseUrlReader} for the request. */
export function getBaseUrl(c: Context<GridEnv>): string {
  return c.get("baseUrl") ?? getRequestUrl(c).origin;
}

/**
 * Returns `path` of this server as the value of `Location` for the client of the request: below the prefix under which
 * the client reaches the server.
 */
export function renderLocation(c: Context<GridEnv>, path: string): string {
  return removeEndSlash(new URL(getBaseUrl(c)).pathname) + path;
}

const HOST = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(:\d{1,5})?$/i;

/** Path segments of unreserved characters. */
const PREFIX = /^(\/(?!\.{1,2}(\/|$))[a-z0-9._~-]+)+$/i;

function readForwarded(
  c: Context<GridEnv>,
  name: string,
  pattern: RegExp,
): string | undefined {
  const value = readFirst(c, name);
  return value !== undefined && pattern.test(value) ? value : undefined;
}

/**
 * Returns the first value of the header. Each proxy appends its own value, so the first is the one for the client's
 * request.
 */
function readFirst(c: Context<GridEnv>, name: string): string | undefined {
  return c.req.header(`x-forwarded-${name}`)?.split(",", 1)[0]?.trim();
}

function readPrefix(c: Context<GridEnv>): string {
  const prefix = removeEndSlash(readFirst(c, "prefix") ?? "");
  return prefix.length <= MAX_PREFIX && PREFIX.test(prefix) ? prefix : "";
}

/** Returns the base URL of the server's WebSockets. `baseUrl` has no trailing slash. */
export function toWebSocketUrl(baseUrl: string): string {
  return baseUrl.replace(/^http/, "ws");
}
