import type { Context } from "hono";
import { networkMatcher, peerAddress } from "./client_address.ts";
import type { GridEnv } from "./middleware.ts";
import { withoutEndSlash } from "./without_end_slash.ts";

/** Longest prefix of a path that is taken over from a proxy. */
const MAX_PREFIX = 200;

/** Settings that say under which URL a client has reached the server. */
export interface BaseUrlSettings {
  readonly public_url?: string | undefined;
  readonly trusted_proxies: readonly string[];
}

/**
 * Finds the URL of the server as the client of a request reaches it, without a slash at its end: `public_url`; else what
 * a trusted proxy says in `X-Forwarded-Proto`, `-Host` and `-Prefix`; else what the request itself names.
 */
export function baseUrl(
  { public_url, trusted_proxies }: BaseUrlSettings,
): (c: Context<GridEnv>) => string {
  const isProxy = networkMatcher(trusted_proxies);
  return function baseUrlOf(c) {
    if (public_url !== undefined) return withoutEndSlash(public_url);
    const { origin, protocol, host } = new URL(c.req.url);
    if (!isProxy(peerAddress(c) ?? "")) return origin;
    const scheme = forwarded(c, "proto", /^https?$/i)?.toLowerCase();
    const name = forwarded(c, "host", HOST);
    const url = URL.parse(
      `${scheme ?? protocol.slice(0, -1)}://${name ?? host}`,
    );
    return (url?.origin ?? origin) + prefixIn(c);
  };
}

/** The same, as {@linkcode baseUrl} has found it for a request before. */
export function baseUrlIn(c: Context<GridEnv>): string {
  return c.get("baseUrl") ?? new URL(c.req.url).origin;
}

const HOST = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(:\d{1,5})?$/i;

/** Path segments of unreserved characters. */
const PREFIX = /^(\/(?!\.{1,2}(\/|$))[a-z0-9._~-]+)+$/i;

function forwarded(
  c: Context<GridEnv>,
  name: string,
  pattern: RegExp,
): string | undefined {
  const value = firstOf(c, name);
  return value !== undefined && pattern.test(value) ? value : undefined;
}

/** Of several proxies each appends what it was asked for: the first is what the client wrote. */
function firstOf(c: Context<GridEnv>, name: string): string | undefined {
  return c.req.header(`x-forwarded-${name}`)?.split(",", 1)[0]?.trim();
}

function prefixIn(c: Context<GridEnv>): string {
  const prefix = withoutEndSlash(firstOf(c, "prefix") ?? "");
  return prefix.length <= MAX_PREFIX && PREFIX.test(prefix) ? prefix : "";
}
